package dev.troupe.runtime.journal;

import dev.troupe.runtime.boot.BoardDescription;

/** How many there can be of what records name by number, from 0. */
public final class RecordLimits {
  public static final int VCPUS = BoardDescription.MAX_CPUS;
  public static final int PINS = 256;
  public static final int TIMERS = 64;
  public static final int VECTORS = 256;

  private RecordLimits() {}
}
