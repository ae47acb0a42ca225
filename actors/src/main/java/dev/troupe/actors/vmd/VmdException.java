package dev.troupe.actors.vmd;

/** The daemon cannot go on; its message is one line for the user. */
public final class VmdException extends Exception {
  private static final long serialVersionUID = 1;

  private final int exit;

  /**
   * Why, and how the process ends.
   *
   * @param exit of {@link VmdExit}
   */
  public VmdException(int exit, String message) {
    super(message);
    this.exit = exit;
  }

  /** How the process ends. */
  public int exit() {
    return exit;
  }
}
