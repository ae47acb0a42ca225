package dev.troupe.actors.schedule;

/**
 * An input with its position: it enters a machine at the first quiet point with at least so many
 * instructions retired and at least so much virtual time gone.
 *
 * @param instructions 0 for any
 * @param nanos virtual nanoseconds, 0 for any
 */
public record ScriptedInput(long instructions, long nanos, Input input) {
  /** What enters. */
  public sealed interface Input {}

  /** Bytes for the serial line. */
  public record Console(byte[] bytes) implements Input {}

  /** Somebody presses the power button. */
  public record PowerButton() implements Input {}
}
