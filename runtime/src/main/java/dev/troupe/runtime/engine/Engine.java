package dev.troupe.runtime.engine;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Vcpu;

/** What executes guest instructions. All engines give the same exits for the same guest. */
public interface Engine {
  /**
   * Runs guest code until the slice is used up or something leaves the vCPU. An exit that asks for
   * a value is answered with {@link Vcpu#complete(long)} before the next run. Timers of the vCPU
   * are looked at when something asks for its attention: {@link Cpu#attend()} before a turn.
   *
   * @param vcpu the vCPU; its state is in memory before and after, nothing stays on the thread
   * @param slice at least 1: instructions retired, REP iterations and events delivered, together
   * @return why the run ended
   */
  Exit run(Vcpu vcpu, long slice);

  /** What it has emitted. Between runs. */
  default EngineCounters counters() {
    return EngineCounters.NONE;
  }
}
