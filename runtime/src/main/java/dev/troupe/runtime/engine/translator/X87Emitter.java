package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InsnEncoder;
import dev.troupe.runtime.isa.OperandCode;
import java.util.Set;

/**
 * Emits x87 instructions as themselves, on the host's own x87 registers, which have the guest's
 * from a trace's first x87 instruction on. All exceptions are masked there: with one unmasked the
 * interpreter does all of them, so that none is ever pending in the host.
 *
 * <p>The guest's FIP and FDP are kept beside, as the interpreter keeps them: {@link
 * dev.troupe.runtime.cpu.X87}.
 */
final class X87Emitter {
  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  /** The masks of a control word. */
  private static final int ALL_MASKED = 0x3F;

  private final Set<Feature> host;
  private final Emission emission;
  private final MemoryAccess memory;
  private final Assembler code;
  private final InsnEncoder encoder = new InsnEncoder();

  X87Emitter(Emission emission, MemoryAccess memory, Set<Feature> host) {
    this.emission = emission;
    this.memory = memory;
    this.host = host;
    code = emission.code;
  }

  /** The instruction's bytes with another address; null if the interpreter has to do it. */
  byte[] encoded(Insn i) {
    if (!host.contains(i.row.feature())) {
      return null;
    }
    if (i.memory && size(i) == 0) {
      return null; // an environment or the whole state
    }
    Insn h = new Insn();
    h.row = i.row;
    h.mode = 64;
    h.operandSize = 32;
    h.addressSize = 64;
    h.rm = i.rm;
    h.memory = i.memory;
    h.base = i.memory ? R11 : Cpu.ZERO;
    h.index = i.memory ? R10 : Cpu.ZERO;
    h.segment = Cpu.DS;
    return encoder.encode(h);
  }

  /** Bytes of the operand in memory. */
  private static int size(Insn i) {
    return i.row.operand(0).bits(i.operandSize) / 8;
  }

  /** Whether it leaves FIP and FDP as they are (SDM vol. 1, 8.1.8). */
  private static boolean isControl(Insn i) {
    return switch (i.row.meaning()) {
      case "FWAIT", "FNOP", "FNCLEX", "FNINIT", "FNSTSW", "FNSTCW", "FLDCW" -> true;
      default -> false;
    };
  }

  void emit(Plan plan) {
    Insn i = plan.insn();
    emission.loadX87();
    if (i.memory) {
      OperandCode operand = i.row.operand(0);
      memory.address(i);
      memory.check(size(i), i.row.writes(i.row.operands().indexOf(operand)));
    }
    if (plan.flags() == FlagUse.READS) {
      emission.toHost();
    }
    switch (i.row.meaning()) {
      case "FWAIT" -> {} // nothing is pending
      case "FLDCW" -> loadControl();
      default -> code.emit(plan.copy());
    }
    if (plan.flags() == FlagUse.SETS) {
      emission.flagsSet(null);
    }
    pointers(i);
  }

  /** Only a word that masks all exceptions. */
  private void loadControl() {
    code.memory(false, 0x0FB7, R15); // movzx r15d,word []
    code.store(R15, State.TARGET);
    code.emit(0x41, 0xF7, 0xD7); // not r15d
    code.emit(0x41, 0xF6, 0xC7, ALL_MASKED); // test r15b,
    emission.stepIf(Assembler.NOT_EQUAL);
    code.state(false, 0xD9, 5, State.TARGET); // fldcw
  }

  private void pointers(Insn i) {
    if (i.row.meaning().equals("FNINIT")) {
      set(State.X87_INSTRUCTION, 0);
      set(State.X87_DATA, 0);
      set(State.X87_OPCODE, 0);
    }
    if (isControl(i)) {
      return;
    }
    set(State.X87_INSTRUCTION, i.rip);
    if (i.memory) {
      dataPointer(i);
    }
  }

  /** The offset in the segment; r11 is still the linear address. */
  private void dataPointer(Insn i) {
    switch (i.addressing) {
      case Operands.PLAIN, Operands.FLAT -> code.store(R11, State.X87_DATA);
      default -> {
        boolean wide = i.addressing != Operands.CHECKED;
        code.registers(wide, 0x8B, R15, R11);
        code.state(wide, 0x2B, R15, i.segment == Cpu.FS ? State.FS_BASE : State.GS_BASE); // sub
        code.store(R15, State.X87_DATA);
      }
    }
  }

  /** Stores a constant; changes no flags. */
  private void set(int offset, long value) {
    if (value == (int) value) {
      code.state(true, 0xC7, 0, offset); // mov qword [],
      code.emit32((int) value);
    } else {
      code.constant(R15, value);
      code.store(R15, offset);
    }
  }
}
