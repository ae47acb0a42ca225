package dev.troupe.runtime.engine.translator;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.HexFormat;

/** A vCPU in flat 64-bit mode, paging off, whose code is translated at once. */
final class FlatGuest implements AutoCloseable {
  static final long CODE = 0x1000;

  final Cpu cpu;
  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final Vcpu vcpu;
  private final Translator engine;

  /** Begins with {@code hex}. */
  FlatGuest(String hex, Plant plant) {
    cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
    vcpu = new Vcpu(cpu);
    engine = new Translator(vcpu, 1, 1, plant);
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
