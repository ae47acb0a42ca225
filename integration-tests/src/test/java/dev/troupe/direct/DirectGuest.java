package dev.troupe.direct;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BootImages;
import dev.troupe.runtime.boot.BootPlan;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** A machine with one vCPU, without actors, loaded and ready to run on the caller's thread. */
public final class DirectGuest implements AutoCloseable {
  /** What it starts with. */
  public record Start(Path kernel, String initrd, String commandLine, long memoryBytes) {}

  private final BootImages images;
  private final GuestMemory memory;

  /** The vCPU's state. */
  public final Cpu cpu;

  /** What runs it. */
  public final Interpreter engine;

  /** The whole of it. */
  public final DirectMachine machine;

  /**
   * Loads the guest.
   *
   * @param wallClockNanos nanoseconds since 1970 at virtual time 0
   * @param seed of what RDRAND gives
   */
  public DirectGuest(
      Start start,
      long wallClockNanos,
      long seed,
      TimeSource time,
      DirectMachine.Console console,
      DirectMachine.Idle idle) {
    images = BootImages.open(start.kernel(), start.initrd(), start.commandLine());
    memory = GuestMemory.allocate(start.memoryBytes());
    cpu = new Cpu(CpuModel.DEFAULT, memory, time, new SplittableRandom(seed)::nextLong);
    cpu.pvclock.setWallClock(wallClockNanos);
    Vcpu vcpu = new Vcpu(cpu);
    engine = new Interpreter(vcpu);
    VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(start.memoryBytes()).build();
    machine =
        new DirectMachine(
            List.of(new DirectMachine.Processor(vcpu, engine)),
            BoardLayout.standard(spec, wallClockNanos),
            time,
            console,
            idle);
    BootPlan plan = images.plan(start.memoryBytes(), BoardLayout.description(1), cpu.model);
    plan.write(memory);
    plan.entry().apply(cpu);
  }

  @Override
  public void close() {
    images.close();
    memory.close();
  }
}
