package dev.troupe.actors.vmd;

/** A request that is not done; its message is one line for the user. */
public final class ControlException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What kind of no it is. */
  public enum Kind {
    /** Can never be right. */
    INVALID,
    /** A machine or node that is not known. */
    NOT_FOUND,
    /** Another owner's machine. */
    DENIED,
    /** What is needed for it cannot be reached now. */
    UNAVAILABLE
  }

  private final Kind kind;

  /** A no, and why. */
  public ControlException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /** What kind of no it is. */
  public Kind kind() {
    return kind;
  }
}
