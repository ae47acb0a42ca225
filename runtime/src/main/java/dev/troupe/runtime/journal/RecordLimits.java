package dev.troupe.runtime.journal;

import dev.troupe.runtime.boot.BoardDescription;

/** How many there can be of what records name by number, from 0. */
public final class RecordLimits {
  public static final int VCPUS = BoardDescription.MAX_CPUS;
  public static final int PINS = 256;
  public static final int TIMERS = 64;
  public static final int VECTORS = 256;

  /** Fault rules of a machine: far more than anybody writes. */
  public static final int RULES = 1000;

  /** Messages that a rule lets pass, and times that it sends one again: one exit stays short. */
  public static final int REPEATS = 1000;

  private RecordLimits() {}
}
