package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** CLI, STI, PUSHF and POPF in virtual-8086 mode: Intel SDM vol. 2, and vol. 3B, 20.3. */
class InterruptFlagTest {
  private static final long IOPL_3 = 3L << 12;
  private static final int STACK = 0x8000;

  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
  private final Insn word = insn(16);
  private final Insn dword = insn(32);

  @AfterEach
  void close() {
    memory.close();
  }

  private static Insn insn(int size) {
    Insn i = new Insn();
    i.operandSize = size;
    i.addressSize = 16;
    return i;
  }

  private void virtual8086(long flags, boolean extensions) {
    cpu.cr0 = ControlRegisters.PE | ControlRegisters.ET;
    cpu.cr4 = extensions ? ControlRegisters.VME : 0;
    for (int segment = Cpu.ES; segment <= Cpu.GS; segment++) {
      cpu.setSegment(segment, 0x100, 0x1000, 0xFFFF, 0xF3);
    }
    cpu.cpl = 3;
    cpu.systemFlags = Rflags.VM | flags;
    cpu.gpr[Cpu.RSP] = STACK;
    cpu.updateMode();
  }

  private void faults(Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(Fault.class, f -> assertThat(f.vector).isEqualTo(Fault.GP));
    assertThat(cpu.gpr[Cpu.RSP]).as("stack pointer").isEqualTo(STACK);
  }

  private void put(int value) {
    memory.copyIn(0x1000 + STACK, new byte[] {(byte) value, (byte) (value >> 8), 0, 0});
  }

  private long pushed() {
    byte[] bytes = new byte[2];
    memory.copyOut(0x1000 + STACK - 2, bytes);
    return (bytes[0] & 0xFF) | (bytes[1] & 0xFF) << 8;
  }

  @Test
  void withIopl3TheProgramOwnsIf() {
    virtual8086(IOPL_3 | Rflags.IF, false);
    InterruptFlag.clear(cpu, word);
    assertThat(cpu.systemFlags & Rflags.IF).isZero();
    InterruptFlag.set(cpu, word);
    assertThat(cpu.systemFlags & Rflags.IF).isNotZero();
    assertThat(cpu.shadow).isEqualTo(Cpu.SHADOW_STI);
    put(0x0001);
    InterruptFlag.pop(cpu, word);
    assertThat(cpu.systemFlags & (Rflags.IF | Rflags.IOPL)).as("IOPL stays").isEqualTo(IOPL_3);
  }

  @Test
  void belowIopl3EachOfThemFaultsWithoutExtensions() {
    virtual8086(Rflags.IF, false);
    faults(() -> InterruptFlag.clear(cpu, word));
    faults(() -> InterruptFlag.set(cpu, word));
    faults(() -> InterruptFlag.push(cpu, word));
    faults(() -> InterruptFlag.pop(cpu, word));
  }

  @Test
  void withExtensionsTheyUseVif() {
    virtual8086(Rflags.IF | Rflags.VIF, true);
    InterruptFlag.clear(cpu, word);
    assertThat(cpu.systemFlags & (Rflags.IF | Rflags.VIF)).isEqualTo(Rflags.IF);
    InterruptFlag.push(cpu, word);
    assertThat(pushed() & (Rflags.IF | Rflags.IOPL)).as("IF is VIF, IOPL is 3").isEqualTo(IOPL_3);
    cpu.gpr[Cpu.RSP] = STACK;
    InterruptFlag.set(cpu, word);
    assertThat(cpu.systemFlags & Rflags.VIF).isNotZero();
    put(0x0001);
    InterruptFlag.pop(cpu, word);
    assertThat(cpu.systemFlags & (Rflags.IF | Rflags.VIF | Rflags.IOPL)).isEqualTo(Rflags.IF);
  }

  @Test
  void withExtensions32BitFormsFault() {
    virtual8086(Rflags.IF, true);
    faults(() -> InterruptFlag.push(cpu, dword));
    faults(() -> InterruptFlag.pop(cpu, dword));
  }

  @Test
  void aPendingVirtualInterruptFaultsWhatWouldLetItIn() {
    virtual8086(Rflags.IF | Rflags.VIP, true);
    faults(() -> InterruptFlag.set(cpu, word));
    put(0x0200);
    faults(() -> InterruptFlag.pop(cpu, word));
    put(0x0100);
    faults(() -> InterruptFlag.pop(cpu, word));
    put(0x0001);
    InterruptFlag.pop(cpu, word);
    assertThat(Rflags.arithmetic(cpu)).isEqualTo(Rflags.CF);
  }
}
