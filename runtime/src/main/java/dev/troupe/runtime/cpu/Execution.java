package dev.troupe.runtime.cpu;

/** The running engine, as the parts of the CPU see it. */
@FunctionalInterface
public interface Execution {
  /**
   * Called on the vCPU's own thread while an instruction executes: when it has retired, the engine
   * leaves the block and looks at the vCPU's events (queued exits, changed code) before the next
   * instruction. Costs nothing on any other instruction.
   */
  void stop();

  /**
   * Does {@code step} while no other vCPU of the machine is inside a turn: for what must be atomic
   * and has no instruction on this host.
   */
  default void alone(Runnable step) {
    step.run();
  }
}
