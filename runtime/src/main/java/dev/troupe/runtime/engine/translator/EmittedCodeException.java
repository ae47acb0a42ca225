package dev.troupe.runtime.engine.translator;

/**
 * Emitted code has faulted: an error of ours, or of the host's memory, never of the guest. Its
 * vCPU's state is no longer good; the message is a report for whoever looks for the error.
 */
public final class EmittedCodeException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  EmittedCodeException(String report) {
    super(report);
  }
}
