package dev.troupe.runtime.engine;

import java.util.Map;
import java.util.TreeMap;

/**
 * What an engine that emits code has done since its vCPU was made; one that does not has zeroes.
 *
 * @param emitted units that emitted code has retired
 * @param blocks blocks translated
 * @param bytes of code and stubs
 * @param entries how often emitted code was entered
 * @param misses instructions left to the interpreter because the TLB did not let their access
 *     through, or because they might fault
 * @param steps instructions left to the interpreter because they are not emitted, by mnemonic
 */
public record EngineCounters(
    long emitted, long blocks, long bytes, long entries, long misses, Map<String, Long> steps) {
  /** Of an engine that emits nothing. */
  public static final EngineCounters NONE = new EngineCounters(0, 0, 0, 0, 0, Map.of());

  /** Both together. */
  public EngineCounters plus(EngineCounters other) {
    Map<String, Long> sum = new TreeMap<>(steps);
    other.steps.forEach((mnemonic, count) -> sum.merge(mnemonic, count, Long::sum));
    return new EngineCounters(
        emitted + other.emitted,
        blocks + other.blocks,
        bytes + other.bytes,
        entries + other.entries,
        misses + other.misses,
        sum);
  }
}
