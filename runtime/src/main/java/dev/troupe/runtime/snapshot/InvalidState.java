package dev.troupe.runtime.snapshot;

/**
 * A refusal on its way out of the parts, whose descriptions declare no exception; the reader turns
 * it into its cause.
 */
final class InvalidState extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient StateException refusal;

  InvalidState(String path, Object value, String expected) {
    super(null, null, false, false);
    refusal = StateException.of(path, value, expected);
  }

  StateException refusal() {
    return refusal;
  }
}
