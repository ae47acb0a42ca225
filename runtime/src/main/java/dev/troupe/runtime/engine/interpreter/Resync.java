package dev.troupe.runtime.engine.interpreter;

/** Ends a block before the instruction that throws it: an event waits, or the code has changed. */
public final class Resync extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Carries nothing, so one is enough. */
  public static final Resync THE = new Resync();

  private Resync() {
    super(null, null, false, false);
  }
}
