package dev.troupe.runtime.machine;

/** What a turn is in the deterministic schedule: part of what a recorded run follows from. */
public final class TurnRules {
  /** Units of a turn, at most: instructions, REP iterations and events delivered, together. */
  public static final int TURN_UNITS = 20_000;

  /**
   * What an exit costs of a turn, so that a guest which does nothing but I/O gives its thread back
   * in time, too.
   */
  public static final long EXIT_UNITS = 50;

  /**
   * Virtual nanoseconds a unit: a machine of 125 million instructions a second, about what the
   * interpreter does, so that a guest's time-outs and its work keep their proportion.
   */
  public static final long NANOS_PER_UNIT = 8;

  private TurnRules() {}
}
