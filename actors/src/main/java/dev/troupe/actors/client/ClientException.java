package dev.troupe.actors.client;

/** Ends a command: one line on standard error, and an exit code. */
public final class ClientException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  ClientException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  /** One of {@link ClientExit}. */
  public int exitCode() {
    return exitCode;
  }
}
