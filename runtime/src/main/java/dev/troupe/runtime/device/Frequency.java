package dev.troupe.runtime.device;

/**
 * A clock of a fixed frequency that has ticked since virtual time 0, in exact integer arithmetic:
 * it never drifts against virtual time.
 *
 * @param hertz ticks a second, 1 to 1,000,000,000
 */
public record Frequency(long hertz) {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  public Frequency {
    if (hertz < 1 || hertz > NANOS_PER_SECOND) {
      throw new IllegalArgumentException("frequency out of range: hertz=" + hertz);
    }
  }

  /** Ticks up to and including {@code nanos}; also for negative times (rounded down). */
  public long ticks(long nanos) {
    long seconds = Math.floorDiv(nanos, NANOS_PER_SECOND);
    long rest = nanos - seconds * NANOS_PER_SECOND;
    return seconds * hertz + rest * hertz / NANOS_PER_SECOND;
  }

  /**
   * The first nanosecond at which {@link #ticks} reaches {@code tick}; {@link Long#MAX_VALUE}
   * beyond what a long holds.
   */
  public long nanos(long tick) {
    long seconds = Math.floorDiv(tick, hertz);
    if (seconds >= Long.MAX_VALUE / NANOS_PER_SECOND) {
      return Long.MAX_VALUE;
    }
    long rest = tick - seconds * hertz;
    return seconds * NANOS_PER_SECOND + (rest * NANOS_PER_SECOND + hertz - 1) / hertz;
  }
}
