package dev.troupe.runtime.isa;

import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.OperandCode.Size;
import java.util.ArrayList;
import java.util.List;

/**
 * Fills an {@link Insn} with operands for a row, by choices from outside, so that every form of the
 * row comes up.
 */
public final class InsnGenerator {
  /** Where choices come from; tests seed it. */
  public interface Choices {
    /** A number from 0 to {@code bound - 1}; bound is at least 1. */
    int below(int bound);

    /** 64 bits. */
    long bits();
  }

  /** What an operand in memory may look like. */
  public enum Form {
    /** Register form if the row has one. */
    REGISTER,
    /** Memory form if the row has one. */
    MEMORY,
    ANY
  }

  private static final int NO_REGISTER = 16;

  private InsnGenerator() {}

  /**
   * The operand sizes at which the row is encoded differently or means something different, in code
   * of this mode.
   */
  public static List<Integer> operandSizes(Row row, int mode) {
    int natural = InsnEncoder.naturalSize(row, mode);
    int prefix = row.encoding().prefix();
    boolean with16 =
        prefix == Opcode.PREFIX_ANY
            || prefix == Opcode.PREFIX_NO_F
            || (prefix >= Opcode.PREFIX_F3 && !row.encoding().vex());
    boolean any = false;
    boolean wide = false;
    boolean narrow = false;
    for (OperandCode operand : row.operands()) {
      Size size = operand.size();
      any |=
          size == Size.V
              || size == Size.P
              || size == Size.A
              || (operand.kind() == Kind.RELATIVE && mode != 64);
      wide |= size == Size.Y;
      narrow |=
          size == Size.Z && operand.kind() != Kind.IMMEDIATE && operand.kind() != Kind.RELATIVE;
    }
    int names = row.mnemonic().split("/").length;
    boolean address = row.mnemonic().startsWith("JCXZ");
    any |= (names == 3 && !address) || row.has(Row.D64) || sizedWithoutOperands(row);
    narrow |= names == 2 && row.has(Row.I64 | Row.IO);
    wide |= names == 2 && !row.has(Row.I64 | Row.IO);
    List<Integer> sizes = new ArrayList<>();
    sizes.add(natural);
    if (row.has(Row.F64) && mode == 64) {
      return sizes;
    }
    int other = natural == 16 ? 32 : 16;
    if ((any || narrow) && with16) {
      sizes.add(other);
    }
    if ((any || wide) && natural != 64 && mode == 64 && row.encoding().w() < 0) {
      sizes.add(64);
    }
    return sizes;
  }

  private static boolean sizedWithoutOperands(Row row) {
    return switch (row.meaning()) {
      case "PUSH_S", "POP_S", "RET", "RETF" -> true;
      default -> false;
    };
  }

  /** True if the row has a form with a ModRM register operand. */
  public static boolean hasRegisterForm(Row row) {
    return row.encoding().form() != Opcode.FORM_MEMORY;
  }

  /** True if the row has a form with a ModRM memory operand. */
  public static boolean hasMemoryForm(Row row) {
    if (!row.encoding().modRm()
        || row.encoding().form() == Opcode.FORM_REGISTER
        || row.has(Row.REGISTER)) {
      return false;
    }
    for (OperandCode operand : row.operands()) {
      if (operand.kind().mayBeMemory()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Fills {@code into} for the row. Not every combination can be encoded: {@link
   * InsnEncoder#encode} answers null then, and another choice is to be made.
   *
   * @param mode 16, 32 or 64, one that the row can be in
   */
  public static void generate(Row row, int mode, Form form, Choices choices, Insn into) {
    into.row = row;
    into.mode = mode;
    List<Integer> sizes = operandSizes(row, mode);
    into.operandSize = sizes.get(choices.below(sizes.size()));
    into.addressSize = mode;
    into.reg = 0;
    into.rm = -1;
    into.memory = false;
    into.base = NO_REGISTER;
    into.index = NO_REGISTER;
    into.scale = 0;
    into.displacement = 0;
    into.ripRelative = false;
    into.segment = 3;
    into.immediate = 0;
    into.immediate2 = 0;
    into.lock = false;
    into.repeat = 0;
    into.rex = 0;
    into.vvvv = 0;
    boolean memory =
        hasMemoryForm(row)
            && (form == Form.MEMORY
                || !hasRegisterForm(row)
                || (form == Form.ANY && choices.below(2) == 0));
    for (OperandCode operand : row.operands()) {
      operand(operand, memory, choices, into);
    }
    if (row.encoding().modRm() && row.encoding().digit() >= 0) {
      into.reg = row.encoding().digit();
    }
    if (row.encoding().rm() >= 0) {
      into.rm = row.encoding().rm();
    } else if (row.encoding().modRm()
        && row.encoding().form() == Opcode.FORM_REGISTER
        && into.rm < 0) {
      into.rm = 0;
    }
    if (memory) {
      address(choices, into);
    } else if (into.memory
        || row.mnemonic().startsWith("JCXZ")
        || row.mnemonic().startsWith("LOOP")) {
      into.addressSize = addressSize(choices, mode);
    }
    if (into.memory) {
      segment(choices, into);
    }
    if (row.has(Row.LOCK) && into.memory) {
      into.lock = choices.below(4) == 0;
    }
    if (row.has(Row.REP | Row.REPZ) && choices.below(2) == 0) {
      into.repeat = row.has(Row.REP) || choices.below(2) == 0 ? 0xF3 : 0xF2;
    }
  }

  private static void operand(OperandCode code, boolean memory, Choices choices, Insn into) {
    boolean b = code.size() == Size.B;
    int registers = into.mode == 64 ? 16 : 8;
    switch (code.kind()) {
      case RM, RM_REGISTER -> {
        if (!memory) {
          into.rm = general(b, registers, choices);
        }
      }
      case REG, OPCODE -> into.reg = general(b, registers, choices);
      case VVVV -> into.vvvv = choices.below(registers);
      case MMX_REG -> into.reg = choices.below(8);
      case MMX_RM, MMX_RM_REGISTER, X87_RM -> {
        if (!memory) {
          into.rm = choices.below(8);
        }
      }
      case XMM_REG -> into.reg = choices.below(registers);
      case XMM_RM, XMM_RM_REGISTER -> {
        if (!memory) {
          into.rm = choices.below(registers);
        }
      }
      case SEGMENT -> {
        into.reg = choices.below(6);
        if (into.reg == 1 && into.row.operands().get(0) == code) {
          into.reg = 3;
        }
      }
      case CONTROL -> into.reg = new int[] {0, 2, 3, 4, 8}[choices.below(into.mode == 64 ? 5 : 4)];
      case DEBUG -> into.reg = choices.below(8);
      case IMMEDIATE, RELATIVE, FAR_POINTER -> immediate(code, choices, into);
      case OFFSET -> {
        into.memory = true;
        into.displacement = choices.bits();
      }
      case SOURCE_STRING -> {
        into.memory = true;
        into.base = 6;
        into.segment = 3;
      }
      case TARGET_STRING -> {
        if (!into.memory) {
          into.memory = true;
          into.base = 7;
          into.segment = 0;
        }
      }
      case XLAT -> {
        into.memory = true;
        into.base = 3;
      }
      default -> {}
    }
  }

  private static int general(boolean b, int registers, Choices choices) {
    if (!b) {
      return choices.below(registers);
    }
    int register = choices.below(registers + 4);
    if (registers == 8) {
      return register < 4 ? register : 16 + (register & 3);
    }
    return register;
  }

  private static void immediate(OperandCode code, Choices choices, Insn into) {
    int bits =
        switch (code.kind()) {
          case RELATIVE -> code == OperandCode.J_B ? 8 : into.operandSize == 16 ? 16 : 32;
          case FAR_POINTER -> into.operandSize;
          default -> code.bits(into.operandSize);
        };
    long value = value(choices, bits);
    if (code == OperandCode.I_B || code == OperandCode.I_W || code == OperandCode.A_P) {
      value &= (1L << bits) - 1;
    }
    if (code == OperandCode.A_P) {
      into.immediate2 = (int) choices.bits() & 0xFFFF;
    }
    if (code == OperandCode.I_B && into.row.operands().get(0) == OperandCode.I_W) {
      into.immediate2 = (int) value;
    } else {
      into.immediate = value;
    }
  }

  /** A signed number of that many bits, small ones and edges often. */
  private static long value(Choices choices, int bits) {
    long value =
        switch (choices.below(5)) {
          case 0 -> choices.below(256) - 128;
          case 1 -> 1L << choices.below(bits);
          case 2 -> -(1L << choices.below(bits));
          default -> choices.bits();
        };
    return value << (64 - bits) >> (64 - bits);
  }

  private static int addressSize(Choices choices, int mode) {
    if (choices.below(8) != 0) {
      return mode;
    }
    return mode == 32 ? 16 : 32;
  }

  private static void address(Choices choices, Insn into) {
    into.memory = true;
    into.rm = -1;
    into.addressSize = addressSize(choices, into.mode);
    if (into.addressSize == 16) {
      int rm = choices.below(9);
      if (rm == 8) {
        into.displacement = value(choices, 16);
        return;
      }
      into.base = Decoder.BASE_16[rm];
      into.index = Decoder.INDEX_16[rm];
      into.displacement = displacement(choices, 16);
      return;
    }
    int registers = into.mode == 64 ? 16 : 8;
    switch (choices.below(8)) {
      case 0 -> {
        into.ripRelative = into.mode == 64 && choices.below(2) == 0;
        into.displacement = value(choices, 32);
        return;
      }
      case 1 -> {
        into.index = index(choices, registers);
        into.scale = choices.below(4);
        into.displacement = value(choices, 32);
        return;
      }
      case 2, 3, 4 -> {
        into.index = index(choices, registers);
        into.scale = choices.below(4);
      }
      default -> {}
    }
    into.base = choices.below(registers);
    into.displacement = displacement(choices, 32);
  }

  private static int index(Choices choices, int registers) {
    int index = choices.below(registers - 1);
    return index >= 4 ? index + 1 : index;
  }

  private static long displacement(Choices choices, int bits) {
    return choices.below(3) == 0 ? 0 : value(choices, bits);
  }

  private static void segment(Choices choices, Insn into) {
    into.segment = InsnEncoder.defaultSegment(into);
    if (into.segment != 0 && choices.below(6) == 0) {
      into.segment = into.mode == 64 ? 4 + choices.below(2) : choices.below(6);
    }
    if (into.row.encoding().modRm()) {
      return;
    }
    for (OperandCode operand : into.row.operands()) {
      if (operand.kind() == Kind.OFFSET) {
        int bits = into.addressSize;
        into.displacement = bits == 64 ? into.displacement : into.displacement & (1L << bits) - 1;
      }
    }
  }
}
