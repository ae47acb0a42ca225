package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.isa.Insn;

/** Emits addresses and the software TLB's check of them. */
final class MemoryAccess {
  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  private final Emission emission;
  private final Assembler code;

  MemoryAccess(Emission emission) {
    this.emission = emission;
    code = emission.code;
  }

  /** {@code to = base + index * scale + displacement}; changes no flags, uses r10 and r11. */
  void effective(Insn i, int to, boolean wide) {
    int base = in(i.base, R11);
    int index = in(i.index, R10);
    long displacement = i.displacement;
    if (base < 0 && index < 0) {
      code.constant(to, wide ? displacement : displacement & 0xFFFF_FFFFL);
      return;
    }
    int rex = 0x40 | (wide ? 8 : 0) | to >> 3 << 2;
    rex |= index < 0 ? 0 : index >> 3 << 1;
    rex |= base < 0 ? 0 : base >> 3;
    code.emit(rex, 0x8D);
    int reg = (to & 7) << 3;
    boolean small = displacement == (byte) displacement;
    int mod = base < 0 ? 0 : displacement == 0 && (base & 7) != 5 ? 0 : small ? 0x40 : 0x80;
    if (index >= 0 || base < 0 || (base & 7) == 4) {
      code.emit(mod | reg | 4);
      int sibIndex = index < 0 ? 4 : index & 7;
      code.emit(i.scale << 6 | sibIndex << 3 | (base < 0 ? 5 : base & 7));
    } else {
      code.emit(mod | reg | (base & 7));
    }
    if (base < 0 || mod == 0x80) {
      code.emit32((int) displacement);
    } else if (mod == 0x40) {
      code.emit((int) displacement);
    }
  }

  /** The host's register with a guest's; one in memory is loaded into {@code scratch}. */
  int in(int register, int scratch) {
    if (register == Cpu.ZERO) {
      return -1;
    }
    if (Registers.inRegister(register)) {
      return Registers.host(register);
    }
    code.load(scratch, State.register(register));
    return scratch;
  }

  /** The linear address of the memory operand, in r11. */
  void address(Insn i) {
    boolean based = i.addressing == Operands.BASED || i.addressing == Operands.FLAT_BASED;
    if (based) {
      emission.clobber();
    }
    effective(i, R11, i.addressSize == 64);
    if (based) {
      code.state(true, 0x03, R11, i.segment == Cpu.FS ? State.FS_BASE : State.GS_BASE);
    }
  }

  /**
   * Looks up r11 in the TLB: goes on with the host address in r11 + r10, or leaves before the
   * instruction.
   */
  void check(int bytes, boolean write) {
    probe(bytes, write);
    emission.stepIf(Assembler.ABOVE);
  }

  /** The same; the host's flags say {@link Assembler#ABOVE} if it is not to be had. */
  void probe(int bytes, boolean write) {
    emission.clobber();
    code.rotate(R10, R11, Tlb.INDEX_SHIFT);
    code.and32(R10, Tlb.INDEX_MASK);
    code.move(R15, R11);
    code.stateAt(true, 0x33, R15, R10, emission.bank() + (write ? Tlb.WRITE : Tlb.READ)); // xor
    code.compare(R15, 4096 - bytes);
    code.stateAt(true, 0x8B, R10, R10, emission.bank() + Tlb.ADDEND);
  }

  /** Room for a push, checked: the value goes to r11 + r10, then the guest's RSP becomes r11. */
  void reserve() {
    code.add(R11, Registers.RSP, -8);
    check(8, true);
  }

  void pushConstant(long value) {
    reserve();
    if (value == (int) value) {
      code.memory(true, 0xC7, 0);
      code.emit32((int) value);
    } else {
      code.constant(R15, value);
      code.memory(true, 0x89, R15);
    }
    code.move(Registers.RSP, R11);
  }

  /** The value of the ModRM operand, in r11. */
  void target(Insn i) {
    if (i.memory) {
      address(i);
      check(8, false);
      code.memory(true, 0x8B, R11);
    } else if (Registers.inRegister(i.rm)) {
      code.move(R11, Registers.host(i.rm));
    } else {
      code.load(R11, State.register(i.rm));
    }
  }
}
