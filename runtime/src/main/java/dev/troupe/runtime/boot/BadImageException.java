package dev.troupe.runtime.boot;

/**
 * A kernel, initial RAM disk or command line that cannot be started as asked. The message is one
 * line for the user: which file, where in it, the value found, and what was expected.
 */
public final class BadImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BadImageException(String message) {
    super(message);
  }

  public BadImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
