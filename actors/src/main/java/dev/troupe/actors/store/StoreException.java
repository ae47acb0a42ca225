package dev.troupe.actors.store;

/** A store that cannot be used; its message is one line for the user. */
public final class StoreException extends Exception {
  private static final long serialVersionUID = 1;

  /** Which store, and why. */
  public StoreException(String message) {
    super(message);
  }

  /** Which store, and why. */
  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
