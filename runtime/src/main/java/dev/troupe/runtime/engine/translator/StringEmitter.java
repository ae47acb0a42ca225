package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.isa.Insn;

/**
 * MOVS and STOS as themselves, on host addresses, repeated or not: upwards, and all iterations at
 * once, if source and destination lie in a page each that the TLB lets through. The budget is
 * charged for them before they are done; what it does not do for, what crosses a page, and what
 * goes downwards is the interpreter's.
 */
final class StringEmitter {
  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;
  private static final int PAGE = 4096;

  private final Emission emission;
  private final MemoryAccess memory;
  private final Assembler code;

  StringEmitter(Emission emission, MemoryAccess memory) {
    this.emission = emission;
    this.memory = memory;
    code = emission.code;
  }

  /**
   * Emits one.
   *
   * @param copies true for MOVS, false for STOS
   */
  void emit(Insn i, boolean copies) {
    int bytes = i.row.operand(0).bits(i.operandSize) / 8;
    boolean wide = i.addressSize == 64;
    boolean repeated = i.repeat != 0;
    emission.clobber();
    code.state(false, 0xF7, 0, State.SYSTEM_FLAGS); // test dword [],
    code.emit32((int) Rflags.DF);
    emission.stepIf(Assembler.NOT_EQUAL);
    int none = 0;
    if (repeated) {
      code.registers(wide, 0x85, Cpu.RCX, Cpu.RCX); // test
      none = code.jump(Assembler.EQUAL);
      code.compare(wide, Cpu.RCX, PAGE / bytes);
      emission.stepIf(Assembler.ABOVE);
    }
    if (copies) {
      host(Cpu.RSI, bytes, wide, repeated, false);
      code.store(R11, State.STRING_SOURCE);
    }
    host(Cpu.RDI, bytes, wide, repeated, true);
    if (repeated) {
      charge();
    }
    perform(i, bytes, wide, copies);
    if (repeated) {
      code.patch(none, code.position());
    }
  }

  /** In r11, the host address of what a register points to, if all of it lies in one page. */
  private void host(int register, int bytes, boolean wide, boolean repeated, boolean write) {
    memory.at(wide, register);
    if (repeated) {
      memory.checkOnce(1, write);
      code.registers(false, 0x8B, R15, R11);
      code.and(false, R15, PAGE - 1);
      int scale = Integer.numberOfTrailingZeros(bytes);
      code.emit(0x45, 0x8D, 0x3C, scale << 6 | Cpu.RCX << 3 | (R15 & 7)); // lea r15d,[r15+rcx*]
      code.compare(false, R15, PAGE);
      emission.stepIf(Assembler.ABOVE);
    } else {
      memory.check(bytes, write);
    }
    code.emit(0x4F, 0x8D, 0x1C, 0x13); // lea r11,[r11+r10]
  }

  /** All iterations but the first, which is charged as the instruction. */
  private void charge() {
    code.emit(0x44, 0x8D, 0x79, 0xFF); // lea r15d,[rcx-1]
    code.state(false, 0x29, R15, State.BUDGET); // sub []
    Assembler stubs = emission.stubs;
    emission.toStub(code.jump(Assembler.SIGN), stubs.position());
    stubs.state(false, 0x01, R15, State.BUDGET); // add []
    emission.stepFrom(new Emission.Jump(true, stubs.jump()));
  }

  /** The destination's host address is in r11. */
  private void perform(Insn i, int bytes, boolean wide, boolean copies) {
    if (copies) {
      code.move(R10, Cpu.RSI);
      code.load(Cpu.RSI, State.STRING_SOURCE);
      code.registers(true, 0x2B, R10, Cpu.RSI); // sub
    }
    code.move(R15, Cpu.RDI);
    code.move(Cpu.RDI, R11);
    code.registers(true, 0x2B, R15, R11);
    if (i.repeat != 0) {
      if (!wide) {
        code.registers(false, 0x8B, Cpu.RCX, Cpu.RCX); // the host's counts 64 bits
      }
      code.emit(0xF3);
    }
    if (bytes == 2) {
      code.emit(0x66);
    } else if (bytes == 8) {
      code.emit(0x48);
    }
    code.emit((copies ? 0xA4 : 0xAA) | (bytes == 1 ? 0 : 1));
    if (copies) {
      code.registers(wide, 0x03, Cpu.RSI, R10); // add
    }
    code.registers(wide, 0x03, Cpu.RDI, R15);
  }
}
