package dev.troupe.runtime.cpu;

/** The machine's virtual clock, the only time that a vCPU sees. */
@FunctionalInterface
public interface TimeSource {
  /**
   * Virtual nanoseconds since the machine's reset; never less than what an earlier call gave on the
   * same thread.
   */
  long nanos();

  /**
   * True if the time depends on how much of the slice in progress is used up ({@link
   * Cpu#unitsLeft}): then it is read by instructions that stand at the end of their block only.
   */
  default boolean exact() {
    return false;
  }
}
