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
    return new Cpu(CpuModel.DEFAULT, MEMORY, () -> 0, () -> 0);
  }
}
