package dev.troupe.actors.guest;

/** A named guest cannot be had. The message is one line for the user, and says what would help. */
public final class GuestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public GuestException(String message) {
    super(message);
  }

  public GuestException(String message, Throwable cause) {
    super(message, cause);
  }
}
