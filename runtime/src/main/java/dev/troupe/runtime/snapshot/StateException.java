package dev.troupe.runtime.snapshot;

/**
 * A stored state that cannot be taken over: damaged, of another machine, or of a newer version. The
 * message is one line that says where, what and what was expected: {@code vcpu0.apic.timer.mode: 7,
 * expected 0 to 3}. What was to be restored is as it was.
 */
public final class StateException extends Exception {
  private static final long serialVersionUID = 1;

  public StateException(String message) {
    super(message);
  }

  /** The refusal of one value. */
  static StateException of(String path, Object value, String expected) {
    return new StateException(path + ": " + value + ", expected " + expected);
  }
}
