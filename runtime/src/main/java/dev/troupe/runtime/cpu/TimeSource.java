package dev.troupe.runtime.cpu;

/** The machine's virtual clock, the only time that a vCPU sees. */
@FunctionalInterface
public interface TimeSource {
  /**
   * Virtual nanoseconds since the machine's reset; never less than what an earlier call gave on the
   * same thread.
   */
  long nanos();

  /**
   * True if the time depends on how much of the slice in progress is used up ({@link
   * Cpu#unitsLeft}): then it is read by instructions that stand at the end of their block only.
   */
  default boolean exact() {
    return false;
  }

  /** In place of {@link #behindHost}: the time does not follow the host's monotonic clock. */
  long NOT_HOST = Long.MIN_VALUE;

  /**
   * What {@link #nanos} is less than the host's monotonic clock (clock_gettime's CLOCK_MONOTONIC,
   * in nanoseconds), for as long as the vCPU that asks runs; or {@link #NOT_HOST}. Emitted code
   * reads that clock by itself.
   */
  default long behindHost() {
    return NOT_HOST;
  }
}
