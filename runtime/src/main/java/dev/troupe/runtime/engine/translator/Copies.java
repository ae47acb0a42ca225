package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InsnEncoder;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.Row;
import java.util.Set;

/** Emits instructions as themselves, on other registers and another address. */
final class Copies {
  /** Of an instruction's operand in memory: see {@link SamePlace}. */
  enum Place {
    OWN,
    /** Of a load: checked for the store behind it, too. */
    ALSO_STORE,
    /** Of that store: in r11 + r10 already. */
    OF_LOAD
  }

  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  private final Set<Feature> host;
  private final Emission emission;
  private final MemoryAccess memory;
  private final Assembler code;
  private final InsnEncoder encoder = new InsnEncoder();

  Copies(Emission emission, MemoryAccess memory, Set<Feature> host) {
    this.emission = emission;
    this.memory = memory;
    this.host = host;
    code = emission.code;
  }

  /**
   * The bytes of an instruction that is copied, with registers and address replaced; null if it
   * cannot be.
   */
  byte[] encoded(Insn i) {
    if (!Operations.isCopied(i, host)) {
      return null;
    }
    if (i.memory) {
      OperandCode operand = memoryOperand(i);
      if (operand == null || operand.bits(i.operandSize) == 0) {
        return null;
      }
    }
    Insn h = new Insn();
    h.row = i.row;
    h.mode = 64;
    h.operandSize = i.operandSize;
    h.addressSize = 64;
    h.reg = uses(i, true) ? mapped(i.reg, scratch(i)) : i.reg;
    h.rm = i.memory ? -1 : uses(i, false) ? mapped(i.rm, R11) : i.rm;
    h.vvvv = mapped(i.vvvv, R15);
    h.memory = i.memory;
    h.base = i.memory ? R11 : Cpu.ZERO;
    h.index = i.memory ? R10 : Cpu.ZERO;
    h.segment = Cpu.DS;
    h.immediate = i.immediate;
    h.immediate2 = i.immediate2;
    h.lock = i.lock;
    if (i.memory && h.vvvv == R15 && h.reg == R15 && i.vvvv != i.reg) {
      return null; // both in memory, and one scratch register left
    }
    return encoder.encode(h);
  }

  static OperandCode memoryOperand(Insn i) {
    for (OperandCode operand : i.row.operands()) {
      if (operand.kind().mayBeMemory()) {
        return operand;
      }
    }
    return null;
  }

  /** Whether ModRM.reg (or the opcode), else ModRM.rm, names a general register. */
  private static boolean uses(Insn i, boolean reg) {
    for (OperandCode operand : i.row.operands()) {
      Kind kind = operand.kind();
      if (reg
          ? kind == Kind.REG || kind == Kind.OPCODE
          : kind == Kind.RM || kind == Kind.RM_REGISTER) {
        return true;
      }
    }
    return false;
  }

  /** What ModRM.reg's register is loaded into, if it lives in memory. */
  private static int scratch(Insn i) {
    return i.memory ? R15 : i.reg == i.rm ? R11 : R10;
  }

  private static int mapped(int register, int scratch) {
    if (register >= 16) {
      return register; // AH to BH
    }
    return Registers.inRegister(register) ? Registers.host(register) : scratch;
  }

  /**
   * Emits one.
   *
   * @param wanted how its flags are to be had again, null if nobody will ask
   * @param seen whether anyone may see the flags before all are set anew
   * @param place whose address and check it is with a neighbour's
   */
  void emit(Plan plan, Recipe wanted, boolean seen, Place place) {
    Insn i = plan.insn();
    FlagUse use = plan.flags();
    UndefinedFlags undefined = plan.undefined();
    Recipe recipe = undefined == UndefinedFlags.PRODUCT ? null : wanted;
    if (i.memory && place != Place.OF_LOAD) {
      OperandCode operand = memoryOperand(i);
      int size = operand.bits(i.operandSize) / 8;
      memory.address(i);
      if (size == 16 && !i.row.has(Row.UNALIGNED)) {
        emission.clobber();
        code.emit(0x41, 0xF6, 0xC3, 0x0F); // test r11b,15
        emission.stepIf(Assembler.NOT_EQUAL);
      }
      boolean writes = i.row.writes(i.row.operands().indexOf(operand));
      memory.check(size, writes || place == Place.ALSO_STORE);
    }
    boolean lost = use == FlagUse.CHANGES && !seen && !plan.readsFlags();
    if (use == FlagUse.READS || (use == FlagUse.CHANGES && !lost)) {
      emission.toHost();
      if (UndefinedFlags.needsAux(plan)) {
        emission.settleAux();
      }
      if (undefined == UndefinedFlags.CARRY_ZERO || undefined == UndefinedFlags.ZERO) {
        emission.toMemory();
      }
    }
    if (recipe == null || !keep(i, recipe)) {
      spilled(i, true);
      code.emit(plan.copy());
      spilled(i, false);
    }
    // Those that nobody sees need not be known to be anywhere.
    if (use == FlagUse.SETS || (use == FlagUse.CHANGES && !lost)) {
      set(plan, recipe, seen);
    }
  }

  /** The flags have been set, by the host. */
  private void set(Plan plan, Recipe recipe, boolean seen) {
    Insn i = plan.insn();
    switch (seen ? plan.undefined() : UndefinedFlags.AS_HOST) {
      case AS_HOST -> emission.flagsSet(recipe);
      case CLEAR_AUX -> emission.flagsSetButAux(recipe);
      case CLEAR_AUX_BY_CL -> {
        CodeArea.saveFlags(code);
        FlagImage.clearAuxByCl(code, i.operandSize == 64 ? 63 : 31);
        emission.flagsAre(Emission.Flags.MEMORY, null);
      }
      case CARRY_ZERO -> {
        FlagImage.only(code, Rflags.CF | Rflags.ZF);
        emission.flagsAre(Emission.Flags.MEMORY, null);
      }
      case ZERO -> {
        FlagImage.only(code, Rflags.ZF);
        emission.flagsAre(Emission.Flags.MEMORY, null);
      }
      case PRODUCT -> {
        boolean one = i.row.meaning().equals("MUL") || i.row.meaning().equals("IMUL");
        int bits = i.row.operand(0).bits(i.operandSize);
        FlagImage.ofProduct(code, memory.in(one ? Cpu.RAX : i.reg, R15), bits);
        emission.flagsAre(Emission.Flags.MEMORY, null);
      }
      case STEP -> throw new IllegalStateException("not copied: " + i.row);
    }
  }

  /**
   * Puts into slots what the recipe needs. A value from memory is loaded only once, so the
   * instruction is done here, too, on what has been loaded.
   *
   * @return true if it has been done
   */
  private boolean keep(Insn i, Recipe recipe) {
    int first = recipe.firstRegister();
    int second = recipe.insn().row.operands().size() > 1 ? recipe.secondRegister() : 0;
    if (recipe.keepsFirst() && first >= 0) {
      code.store(memory.in(first, R15), State.FIRST);
    }
    if (recipe.keepsSecond() && second >= 0) {
      code.store(memory.in(second, R15), State.SECOND);
    }
    boolean loads =
        i.memory && (recipe.keepsFirst() ? first < 0 : recipe.keepsSecond() && second < 0);
    loads |= i.memory && recipe.keepsSecond() && second < 0;
    if (!loads) {
      return false;
    }
    load(recipe.bits());
    code.store(R15, first < 0 ? State.FIRST : State.SECOND);
    if (first < 0) {
      onLoaded(i, recipe, second);
    } else {
      int to = memory.in(first, R10);
      code.arithmetic(recipe.operation(), recipe.bits(), to, R15);
      if (!Registers.inRegister(first) && !recipe.operation().compares()) {
        code.store(to, State.register(first));
      }
    }
    return true;
  }

  /** Compares what is in r15, or multiplies it by a constant. */
  private void onLoaded(Insn i, Recipe recipe, int second) {
    if (recipe.operation() == Arithmetic.IMUL3) {
      code.arithmeticConstant(Arithmetic.IMUL3, recipe.bits(), R15, (int) i.immediate);
      set(i.reg, recipe.bits());
    } else if (second >= 0) {
      code.arithmetic(recipe.operation(), recipe.bits(), R15, memory.in(second, R10));
    } else {
      code.arithmeticConstant(recipe.operation(), recipe.bits(), R15, (int) i.immediate);
    }
  }

  /** A guest's register of 16, 32 or 64 bits becomes r15. */
  private void set(int register, int bits) {
    if (!Registers.inRegister(register)) {
      if (bits == 16) {
        code.emit(0x66);
      }
      code.state(bits == 64 || bits == 32, 0x89, R15, State.register(register));
    } else if (bits == 16) {
      code.emit(0x66);
      code.registers(false, 0x8B, Registers.host(register), R15);
    } else {
      code.registers(bits == 64, 0x8B, Registers.host(register), R15);
    }
  }

  /** Zero-extended, into r15. */
  private void load(int bits) {
    switch (bits) {
      case 8 -> code.memory(false, 0x0FB6, R15);
      case 16 -> code.memory(false, 0x0FB7, R15);
      default -> code.memory(bits == 64, 0x8B, R15);
    }
  }

  /** Loads or stores the registers of an instruction that live in memory. */
  private void spilled(Insn i, boolean load) {
    for (int n = 0; n < i.row.operands().size(); n++) {
      if (!load && !i.row.writes(n)) {
        continue;
      }
      switch (i.row.operand(n).kind()) {
        case REG, OPCODE -> spill(i.reg, scratch(i), load);
        case RM, RM_REGISTER -> {
          if (!i.memory) {
            spill(i.rm, R11, load);
          }
        }
        case VVVV -> spill(i.vvvv, R15, load);
        default -> {}
      }
    }
  }

  private void spill(int register, int scratch, boolean load) {
    if (register < 16 && !Registers.inRegister(register)) {
      if (load) {
        code.load(scratch, State.register(register));
      } else {
        code.store(scratch, State.register(register));
      }
    }
  }
}
