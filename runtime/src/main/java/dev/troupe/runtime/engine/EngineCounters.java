package dev.troupe.runtime.engine;

/**
 * What an engine that emits code has done since its vCPU was made; one that does not has zeroes.
 *
 * @param emitted units that emitted code has retired
 * @param steps instructions that emitted code left to the interpreter
 * @param blocks blocks translated
 * @param bytes of code and stubs
 * @param entries how often emitted code was entered
 */
public record EngineCounters(long emitted, long steps, long blocks, long bytes, long entries) {
  /** Of an engine that emits nothing. */
  public static final EngineCounters NONE = new EngineCounters(0, 0, 0, 0, 0);

  /** Both together. */
  public EngineCounters plus(EngineCounters other) {
    return new EngineCounters(
        emitted + other.emitted,
        steps + other.steps,
        blocks + other.blocks,
        bytes + other.bytes,
        entries + other.entries);
  }
}
