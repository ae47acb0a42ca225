package dev.troupe.runtime.cpu;

/** The machine's virtual clock, the only time that a vCPU sees. */
@FunctionalInterface
public interface TimeSource {
  /**
   * Virtual nanoseconds since the machine's reset; never less than what an earlier call gave on the
   * same thread.
   */
  long nanos();
}
