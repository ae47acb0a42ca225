package dev.troupe.direct;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BootImages;
import dev.troupe.runtime.boot.BootPlan;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Entropy;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.snapshot.StatePart;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/** A machine without actors, loaded and ready to run on the caller's thread. */
public final class DirectGuest implements AutoCloseable {
  /** What it starts with. */
  public record Start(Path kernel, String initrd, String commandLine, long memoryBytes, int cpus) {}

  private final BootImages images;

  /** Its memory. */
  public final GuestMemory memory;

  /** Its vCPUs, the boot processor first. */
  public final List<Vcpu> vcpus = new ArrayList<>();

  /** The whole of it. */
  public final DirectMachine machine;

  /** The state of its vCPUs and devices. */
  public final List<StatePart> parts = new ArrayList<>();

  /**
   * Loads the guest.
   *
   * @param wallClockNanos nanoseconds since 1970 at virtual time 0
   * @param seed of what RDRAND gives
   * @param engines makes the engine of each vCPU
   */
  public DirectGuest(
      Start start,
      long wallClockNanos,
      long seed,
      TimeSource time,
      DirectMachine.Console console,
      DirectMachine.Idle idle,
      Function<Vcpu, Engine> engines) {
    images = BootImages.open(start.kernel(), start.initrd(), start.commandLine());
    memory = GuestMemory.allocate(start.memoryBytes());
    Entropy entropy = new SplittableRandom(seed)::nextLong;
    List<DirectMachine.Processor> processors = new ArrayList<>();
    for (int n = 0; n < start.cpus(); n++) {
      Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, time, entropy, n, start.cpus());
      cpu.pvclock.setWallClock(wallClockNanos);
      Vcpu vcpu = new Vcpu(cpu);
      vcpus.add(vcpu);
      parts.add(new StatePart("vcpu" + n, vcpu));
      processors.add(new DirectMachine.Processor(vcpu, engines.apply(vcpu)));
    }
    VmSpec spec =
        VmSpec.newBuilder().setCpus(start.cpus()).setMemoryBytes(start.memoryBytes()).build();
    BoardLayout layout = BoardLayout.standard(spec, wallClockNanos);
    for (Device device : layout.devices()) {
      parts.add(new StatePart(device.name(), device));
    }
    machine = new DirectMachine(processors, layout, time, console, idle);
    BootPlan plan =
        images.plan(start.memoryBytes(), BoardLayout.description(start.cpus()), CpuModel.DEFAULT);
    plan.write(memory);
    plan.entry().apply(vcpus.getFirst().cpu);
    vcpus.getFirst().cpu.updateMode();
  }

  @Override
  public void close() {
    images.close();
    memory.close();
  }
}
