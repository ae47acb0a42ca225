package dev.troupe.runtime.machine;

/**
 * A place in the run of a machine that follows the deterministic schedule.
 *
 * @param instructions what all vCPUs have retired: instructions, REP iterations and events
 *     delivered
 * @param messages board messages handled
 * @param nanos virtual time
 */
public record Position(long instructions, long messages, long nanos) {
  @Override
  public String toString() {
    return "i:%d m:%d t:%d.%09d"
        .formatted(instructions, messages, nanos / 1_000_000_000, nanos % 1_000_000_000);
  }
}
