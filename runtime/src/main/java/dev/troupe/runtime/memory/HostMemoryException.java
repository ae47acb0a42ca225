package dev.troupe.runtime.memory;

/** The host cannot give the memory that a machine asks for. The message is fit for a user. */
public final class HostMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  HostMemoryException(String message) {
    super(message);
  }
}
