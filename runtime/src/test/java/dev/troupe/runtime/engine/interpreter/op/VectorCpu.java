package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.memory.GuestMemory;

/** A vCPU for tests of single meanings. */
final class VectorCpu {
  private static final GuestMemory MEMORY = GuestMemory.allocate(1 << 20);

  /** One for all: a vCPU owns memory outside the heap. */
  private static final Cpu CPU = create();

  private VectorCpu() {}

  static Cpu make() {
    return CPU;
  }

  private static Cpu create() {
    Cpu cpu = new Cpu(CpuModel.DEFAULT, MEMORY, () -> 0, () -> 0);
    // Flat 64-bit mode with paging off, as no processor can be: linear addresses are physical.
    cpu.efer = 0x500;
    cpu.cr0 = 0x21;
    cpu.cr4 = 0x600;
    cpu.segmentAttributes[Cpu.CS] = 0xA09B;
    cpu.segmentLimit[Cpu.CS] = 0xFFFF_FFFFL;
    cpu.updateMode();
    return cpu;
  }
}
