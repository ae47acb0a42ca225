package dev.troupe.runtime.engine.interpreter;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.TestEngine;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.HexFormat;

/**
 * A vCPU in flat 64-bit mode, paging off, as no processor can be: code at 0x1000, stack below
 * 0x80000.
 */
final class FlatCpu implements AutoCloseable {
  static final long CODE = 0x1000;
  static final long STACK = 0x80000;

  final GuestMemory memory;
  final Cpu cpu;
  final Vcpu vcpu;
  final Interpreter engine;

  FlatCpu() {
    this(GuestMemory.allocate(16 << 20));
  }

  private FlatCpu(GuestMemory memory) {
    this.memory = memory;
    cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
    vcpu = new Vcpu(cpu);
    engine = TestEngine.of(vcpu);
    cpu.efer = 0x500;
    cpu.cr0 = 1;
    cpu.cr4 = 0x200;
    cpu.segmentAttributes[Cpu.CS] = 0xA09B;
    cpu.segmentBase[Cpu.CS] = 0;
    cpu.segmentLimit[Cpu.CS] = 0xFFFF_FFFFL;
    cpu.rip = CODE;
    cpu.gpr[Cpu.RSP] = STACK;
    cpu.updateMode();
  }

  /** Puts code at {@link #CODE}, in hexadecimal with or without spaces. */
  FlatCpu code(String hex) {
    memory.copyIn(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
    return this;
  }

  /** Another processor of the same memory; closed with this one. */
  FlatCpu another() {
    return new FlatCpu(memory);
  }

  /** Runs up to {@code units}. */
  Exit run(long units) {
    return engine.run(vcpu, units);
  }

  @Override
  public void close() {
    memory.close();
  }
}
