package dev.troupe.actors.vmd;

/** How the daemon's process ends. The codes that vmctl has too mean the same there. */
public final class VmdExit {
  /** Stopped as asked. */
  public static final int OK = 0;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** The configuration is wrong. */
  public static final int CONFIGURATION = 4;

  /** Something that is needed cannot be had: store, socket, address, or the cluster says no. */
  public static final int UNAVAILABLE = 6;

  /** We failed. */
  public static final int INTERNAL = 8;

  /** The cluster took this node for gone and goes on without it; it may be started again. */
  public static final int REMOVED = 10;

  /** Did not stop within its limit. */
  public static final int LIMIT = 12;

  /** Ended at once, by a second signal: this and the signal's number. */
  public static final int SIGNALLED = 128;

  private VmdExit() {}
}
