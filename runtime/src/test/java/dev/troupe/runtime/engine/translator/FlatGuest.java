package dev.troupe.runtime.engine.translator;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.HexFormat;
import java.util.function.Function;

/** A vCPU in flat 64-bit mode, paging off, whose code is translated at once, or interpreted. */
final class FlatGuest implements AutoCloseable {
  static final long CODE = 0x1000;

  final Cpu cpu;
  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final Vcpu vcpu;
  private final Engine engine;

  /** Begins with {@code hex}. */
  FlatGuest(String hex, Plant plant) {
    this(hex, plant, () -> 0);
  }

  /** The same at this time. */
  FlatGuest(String hex, Plant plant, TimeSource time) {
    this(
        hex,
        time,
        vcpu -> new Translator(vcpu, 1, 1, UndefinedFlags.differOnHost(), EngineWatch.NONE, plant));
  }

  private FlatGuest(String hex, TimeSource time, Function<Vcpu, Engine> engines) {
    cpu = new Cpu(CpuModel.DEFAULT, memory, time, () -> 0);
    vcpu = new Vcpu(cpu);
    engine = engines.apply(vcpu);
    cpu.efer = 0x500;
    cpu.cr0 = 1;
    cpu.cr4 = 0x200;
    cpu.segmentAttributes[Cpu.CS] = 0xA09B;
    cpu.segmentBase[Cpu.CS] = 0;
    cpu.segmentLimit[Cpu.CS] = 0xFFFF_FFFFL;
    cpu.rip = CODE;
    cpu.updateMode();
    memory.copyIn(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  static FlatGuest interpreted(String hex) {
    return new FlatGuest(hex, () -> 0, Interpreter::new);
  }

  Exit run(long units) {
    return engine.run(vcpu, units);
  }

  /** Instructions that emitted code has retired. */
  long emitted() {
    return engine.counters().emitted();
  }

  @Override
  public void close() {
    memory.close();
  }
}
