package dev.troupe.runtime.machine;

/** How a machine's run ended. */
public sealed interface Outcome {
  /** In a word or two, for people and for conditions. */
  default String text() {
    return switch (this) {
      case PoweredOff _ -> "powered off";
      case Reset _ -> "reset";
      case DebugExit(long value) -> "debug exit " + value;
      case TripleFault(int vcpu, String _) -> "triple fault of vcpu" + vcpu;
      case Stopped _ -> "stopped";
      case InternalFailure _ -> "failed";
    };
  }

  /** The guest switched the machine off. */
  record PoweredOff() implements Outcome {}

  /** The guest asked for a reset of the machine. */
  record Reset() implements Outcome {}

  /** The guest wrote {@code value} to the debug exit port. */
  record DebugExit(long value) implements Outcome {}

  /**
   * A vCPU met a triple fault.
   *
   * @param state where it was, for people
   */
  record TripleFault(int vcpu, String state) implements Outcome {}

  /** The owner asked for the end. */
  record Stopped() implements Outcome {}

  /** A broken invariant of ours; the message carries the numbers. */
  record InternalFailure(String message, Throwable cause) implements Outcome {}
}
