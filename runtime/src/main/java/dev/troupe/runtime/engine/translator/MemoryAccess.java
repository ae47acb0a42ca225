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
  private static final int NO_SEGMENT = -1;

  private final Emission emission;
  private final LoopPages pages;
  private final Assembler code;

  /** Of the address in r11: its parts, as {@link LoopPages.Group} has them. */
  private int base;

  private int index;
  private int segment;

  MemoryAccess(Emission emission, LoopPages pages) {
    this.emission = emission;
    this.pages = pages;
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
    boolean checked = i.addressing == Operands.CHECKED; // FS or GS in 32-bit code
    boolean based =
        checked || i.addressing == Operands.BASED || i.addressing == Operands.FLAT_BASED;
    if (based) {
      emission.clobber();
    }
    effective(i, R11, i.addressSize == 64);
    of(i.base, i.index, based ? i.segment : NO_SEGMENT);
    if (based) {
      // In 32-bit code the sum wraps (SDM vol. 1, 3.3.4; Segmentation.check).
      code.state(!checked, 0x03, R11, i.segment == Cpu.FS ? State.FS_BASE : State.GS_BASE);
    }
    if (checked) {
      code.state(false, 0x83, 7, i.segment == Cpu.FS ? State.FS_LIMITED : State.GS_LIMITED);
      code.emit(0); // cmp dword [],0
      emission.stepIf(Assembler.NOT_EQUAL);
    }
  }

  /** The guest's register is the address, in r11. */
  void at(boolean wide, int register) {
    code.registers(wide, 0x8B, R11, Registers.host(register));
    of(register, Cpu.ZERO, NO_SEGMENT);
  }

  /** The guest's RSP less so many bytes is the address, in r11. */
  void below(boolean wide, int bytes) {
    code.add(wide, R11, Registers.RSP, -bytes);
    of(Cpu.RSP, Cpu.ZERO, NO_SEGMENT);
  }

  private void of(int newBase, int newIndex, int newSegment) {
    base = newBase;
    index = newIndex;
    segment = newSegment;
  }

  /**
   * Looks up r11 in the TLB: goes on with the host address in r11 + r10, or leaves before the
   * instruction.
   */
  void check(int bytes, boolean write) {
    emission.stepFrom(probe(bytes, write));
  }

  /**
   * The same where the check may be jumped over: the slots of {@link LoopPages} are neither filled
   * nor used.
   */
  void checkOnce(int bytes, boolean write) {
    emission.clobber();
    emission.stepFrom(inTlb(bytes, write));
  }

  /** As {@link #check}; gives the jump that is taken if it is not to be had. */
  Emission.Jump probe(int bytes, boolean write) {
    emission.clobber();
    LoopPages.Group group = new LoopPages.Group(base, index, segment, emission.bank(), write);
    int used = pages.usedBy(group, emission.at());
    if (used != LoopPages.NONE) {
      return inLastPage(used, bytes, write);
    }
    Emission.Jump missed = inTlb(bytes, write);
    int filled = pages.filledBy(group, emission.at());
    if (filled != LoopPages.NONE) {
      fill(code, filled);
    }
    return missed;
  }

  private Emission.Jump inTlb(int bytes, boolean write) {
    lookUp(code, bytes, write);
    int elsewhere = code.jump(Assembler.ABOVE);
    int onward = code.position();
    return emission.besideStub(elsewhere, emission.bank(), tag(write), 4096 - bytes, onward);
  }

  private void lookUp(Assembler a, int bytes, boolean write) {
    a.rotate(R10, R11, Tlb.INDEX_SHIFT);
    a.and(false, R10, Tlb.INDEX_MASK);
    a.move(R15, R11);
    a.stateAt(true, 0x33, R15, R10, emission.bank() + tag(write)); // xor
    a.compare(R15, 4096 - bytes);
    a.stateAt(true, 0x8B, R10, R10, emission.bank() + Tlb.ADDEND);
  }

  private static int tag(boolean write) {
    return write ? Tlb.WRITE : Tlb.READ;
  }

  private static void fill(Assembler a, int slot) {
    a.move(R15, R11);
    a.and(true, R15, -4096);
    a.store(R15, State.page(slot));
    a.store(R10, State.page(slot) + 8);
  }

  /** By the slot; if that is not the page, out of the way, by the TLB, which fills it again. */
  private Emission.Jump inLastPage(int slot, int bytes, boolean write) {
    code.move(R15, R11);
    code.state(true, 0x33, R15, State.page(slot)); // xor
    code.load(R10, State.page(slot) + 8);
    code.compare(R15, 4096 - bytes);
    int elsewhere = code.jump(Assembler.ABOVE);
    int onward = code.position();
    int unsteady = emission.unsteadyStub(slot);
    Assembler cold = emission.stubs;
    emission.toStub(elsewhere, cold.position());
    lookUp(cold, bytes, write);
    int found = cold.jump(Assembler.BELOW_OR_EQUAL);
    emission.lookBeside(emission.bank(), tag(write), 4096 - bytes);
    Emission.Jump missed = new Emission.Jump(true, cold.jump(Assembler.ABOVE));
    cold.patch(found, cold.position());
    fill(cold, slot);
    cold.state(false, 0x83, 5, State.PAGE_CHANGES); // sub dword [],
    cold.emit(1);
    cold.patch(cold.jump(Assembler.SIGN), unsteady);
    emission.toCode(new Emission.Jump(true, cold.jump()), onward);
    return missed;
  }

  /** Room for a push, checked: the value goes to r11 + r10, then the guest's RSP becomes r11. */
  void reserve(int bytes) {
    below(bytes == 8, bytes);
    check(bytes, true);
  }

  void pushConstant(long value, int bytes) {
    reserve(bytes);
    if (bytes == 4 || value == (int) value) {
      code.memory(bytes == 8, 0xC7, 0);
      code.emit32((int) value);
    } else {
      code.constant(R15, value);
      code.memory(true, 0x89, R15);
    }
    code.move(Registers.RSP, R11);
  }

  /** The value of the ModRM operand, zero-extended, in r11. */
  void target(Insn i) {
    boolean wide = i.operandSize == 64;
    if (i.memory) {
      address(i);
      check(i.operandSize / 8, false);
      code.memory(wide, 0x8B, R11);
    } else if (Registers.inRegister(i.rm)) {
      code.registers(wide, 0x8B, R11, Registers.host(i.rm));
    } else {
      code.load(R11, State.register(i.rm));
    }
  }
}
