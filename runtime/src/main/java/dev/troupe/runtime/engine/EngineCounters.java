package dev.troupe.runtime.engine;

import java.util.Map;
import java.util.TreeMap;

/**
 * What an engine that emits code has done since its vCPU was made; one that does not has zeroes.
 *
 * @param emitted units that emitted code has retired
 * @param blocks translations made: of blocks, and of paths
 * @param bytes of code and stubs
 * @param nanos what translation has taken, by the clock of {@link EngineWatch}
 * @param steps instructions left to the interpreter because they are not emitted, by mnemonic
 */
public record EngineCounters(
    long emitted,
    long blocks,
    long bytes,
    long nanos,
    Exits exits,
    Invalidations invalidations,
    Map<String, Long> steps) {
  /**
   * How often emitted code was entered, and why it was left.
   *
   * @param entries how often it was entered
   * @param misses at an access that the TLB did not let through, or that might fault
   * @param linked at a block's end that had no link, and was given one
   * @param lookedUp at a block's end where the next block had to be looked up
   */
  public record Exits(long entries, long misses, long linked, long lookedUp) {
    private static final Exits NONE = new Exits(0, 0, 0, 0);

    private Exits plus(Exits other) {
      return new Exits(
          entries + other.entries,
          misses + other.misses,
          linked + other.linked,
          lookedUp + other.lookedUp);
    }
  }

  /**
   * Why code was thrown away.
   *
   * @param codeWrites writes to pages that hold code
   * @param dropped translations of what was written
   * @param resets times when all translations were dropped
   */
  public record Invalidations(long codeWrites, long dropped, long resets) {
    private static final Invalidations NONE = new Invalidations(0, 0, 0);

    private Invalidations plus(Invalidations other) {
      return new Invalidations(
          codeWrites + other.codeWrites, dropped + other.dropped, resets + other.resets);
    }
  }

  /** Of an engine that emits nothing. */
  public static final EngineCounters NONE =
      new EngineCounters(0, 0, 0, 0, Exits.NONE, Invalidations.NONE, Map.of());

  /** Both together. */
  public EngineCounters plus(EngineCounters other) {
    Map<String, Long> sum = new TreeMap<>(steps);
    other.steps.forEach((mnemonic, count) -> sum.merge(mnemonic, count, Long::sum));
    return new EngineCounters(
        emitted + other.emitted,
        blocks + other.blocks,
        bytes + other.bytes,
        nanos + other.nanos,
        exits.plus(other.exits),
        invalidations.plus(other.invalidations),
        sum);
  }
}
