package dev.troupe.runtime.isa;

import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.OperandCode.Size;
import java.util.List;
import java.util.Locale;

/**
 * Writes an instruction as {@code objdump -d -M intel} of GNU binutils 2.40 does, spaces included.
 * Redundant prefixes are not shown.
 */
public final class Disassembler {
  private static final int NO_REGISTER = 16;
  private static final int STACK_POINTER = 4;

  /** Mnemonic and prefixes are padded to this, one space more follows. */
  private static final int MNEMONIC_WIDTH = 6;

  private static final List<String> LOW_BYTES =
      List.of("al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil");
  private static final List<String> HIGH_BYTES = List.of("ah", "ch", "dh", "bh");
  private static final List<String> WORDS = List.of("ax", "cx", "dx", "bx", "sp", "bp", "si", "di");
  private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs");
  private static final List<String> CONDITIONS =
      List.of("eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord");

  private Disassembler() {}

  /**
   * The text of one instruction.
   *
   * @param insn as the decoder left it
   * @param address of its first byte; branch targets follow from it
   */
  public static String text(Insn insn, long address) {
    StringBuilder text = new StringBuilder(prefixes(insn));
    String operands = operands(insn, address);
    text.append(mnemonic(insn));
    if (operands.isEmpty()) {
      return text.toString();
    }
    while (text.length() < MNEMONIC_WIDTH) {
      text.append(' ');
    }
    text.append(' ').append(operands);
    if (insn.ripRelative && insn.memory) {
      long target = address + insn.length + insn.displacement;
      text.append("        # 0x").append(Long.toHexString(target));
    }
    return text.toString();
  }

  /** The prefixes that the text shows, in the order in which {@link InsnEncoder} puts them. */
  private static String prefixes(Insn insn) {
    Row row = insn.row;
    StringBuilder text = new StringBuilder();
    if (insn.addressSize != insn.mode && showsAddressSize(insn)) {
      text.append(insn.addressSize == 16 ? "addr16 " : "addr32 ");
    }
    if (notrack(insn)) {
      text.append("notrack ");
    }
    if (insn.lock) {
      text.append("lock ");
    }
    if (insn.repeat != 0 && row.has(Row.REP | Row.REPZ)) {
      String whileEqual = row.has(Row.REP) ? "rep " : "repz ";
      text.append(insn.repeat == 0xF3 ? whileEqual : "repnz ");
    }
    if (row.operand(0) == OperandCode.J_B && insn.mode != 64 && insn.operandSize != insn.mode) {
      text.append(insn.mode == 32 ? "data16 " : "data32 ");
    }
    if (insn.operandSize == 64 && (row.operand(0) == OperandCode.M_P || isPlainNop(row))) {
      text.append(rex(insn.rex));
    }
    return text.toString();
  }

  /** True where nothing else in the text tells the address size. */
  private static boolean showsAddressSize(Insn insn) {
    boolean absolute = isAbsolute(insn);
    boolean offset = absolute && !insn.row.encoding().modRm();
    return offset || (absolute && insn.mode == 16) || insn.row.meaning().startsWith("LOOP");
  }

  /**
   * DS before an indirect near branch is shown as the CET prefix, whether it has an effect or not.
   */
  private static boolean notrack(Insn insn) {
    String meaning = insn.row.meaning();
    return insn.memory
        && (meaning.equals("CALL_E") || meaning.equals("JMP_E"))
        && insn.segment == 3
        && InsnEncoder.defaultSegment(insn) != 3;
  }

  private static boolean isPlainNop(Row row) {
    return row.encoding().map() == 0 && row.meaning().equals("NOP");
  }

  /** True where NOP's opcode is shown as the exchange that it is without its special case. */
  private static boolean isExchange(Insn insn) {
    return isPlainNop(insn.row)
        && insn.operandSize != 64
        && insn.operandSize != InsnEncoder.naturalSize(insn.row, insn.mode);
  }

  /** True for a memory operand with neither base nor index. */
  private static boolean isAbsolute(Insn insn) {
    return insn.memory
        && insn.base == NO_REGISTER
        && insn.index == NO_REGISTER
        && !insn.ripRelative;
  }

  private static String rex(int rex) {
    return "rex."
        + ((rex & 8) != 0 ? "W" : "")
        + ((rex & 4) != 0 ? "R" : "")
        + ((rex & 2) != 0 ? "X" : "")
        + ((rex & 1) != 0 ? "B" : "")
        + " ";
  }

  private static String mnemonic(Insn insn) {
    Row row = insn.row;
    String meaning = row.meaning();
    if (row.has(Row.REP | Row.REPZ)) {
      return meaning.toLowerCase(Locale.ROOT);
    }
    int size = row.mnemonic().startsWith("JCXZ") ? insn.addressSize : insn.operandSize;
    String name = row.mnemonic(size).toLowerCase(Locale.ROOT);
    boolean natural = insn.operandSize == InsnEncoder.naturalSize(row, insn.mode);
    return switch (meaning) {
      case "PUSHF", "POPF", "PUSHA", "POPA", "IRET" ->
          suffixed(meaning.toLowerCase(Locale.ROOT), insn, natural);
      case "PUSH_S", "POP_S", "ENTER", "LEAVE", "RET", "RETF" -> suffixed(name, insn, natural);
      case "CALL", "JMP" -> suffixed(name, insn, natural || row.operand(0) != OperandCode.J_Z);
      case "PUSH" -> suffixed(name, insn, natural || row.operand(0).kind() != Kind.IMMEDIATE);
      case "SGDT", "SIDT", "LGDT", "LIDT" -> suffixed(name, insn, insn.mode == 64);
      case "SYSRET", "SYSEXIT" -> insn.mode == 64 ? name : meaning.toLowerCase(Locale.ROOT);
      case "CMPPS", "CMPPD", "CMPSS", "CMPSD" ->
          insn.immediate < 8
              ? "cmp" + CONDITIONS.get((int) insn.immediate) + name.substring(3)
              : name;
      case "NOP" -> isExchange(insn) ? "xchg" : name;
      case "PCLMULQDQ" -> carryless(insn, name);
      case "MOV" ->
          row.operand(0).kind() == Kind.OFFSET
                  || row.operand(1).kind() == Kind.OFFSET
                  || row.operand(1) == OperandCode.I_V
              ? wide(insn, name)
              : name;
      case "FNOP" ->
          switch (name) {
            case "fneni", "fndisi" -> name + "(8087 only)";
            case "fnsetpm" -> name + "(287 only)";
            default -> name;
          };
      default -> name;
    };
  }

  private static String suffixed(String name, Insn insn, boolean natural) {
    if (natural) {
      return name;
    }
    return name
        + switch (insn.operandSize) {
          case 16 -> "w";
          case 32 -> "d";
          default -> "q";
        };
  }

  private static String carryless(Insn insn, String name) {
    return switch ((int) insn.immediate) {
      case 0 -> "pclmullqlqdq";
      case 1 -> "pclmulhqlqdq";
      case 0x10 -> "pclmullqhqdq";
      case 0x11 -> "pclmulhqhqdq";
      default -> name;
    };
  }

  /** MOV with a 64-bit immediate or offset is called movabs. */
  private static String wide(Insn insn, String name) {
    boolean immediate = insn.row.operand(1) == OperandCode.I_V;
    return (immediate ? insn.operandSize : insn.addressSize) == 64 ? "movabs" : name;
  }

  private static String operands(Insn insn, long address) {
    Row row = insn.row;
    StringBuilder text = new StringBuilder();
    int count = row.operands().size();
    boolean named =
        (row.meaning().startsWith("CMP") && count == 3 && insn.immediate < 8)
            || (row.meaning().equals("PCLMULQDQ") && (insn.immediate & 0xEE) == 0);
    if (isExchange(insn)) {
      String accumulator = general(0, insn.operandSize);
      return accumulator + "," + accumulator;
    }
    for (int n = 0; n < (named ? 2 : count); n++) {
      text.append(n == 0 ? "" : ",").append(operand(insn, row.operands().get(n), address));
    }
    return text.toString();
  }

  private static String operand(Insn insn, OperandCode code, long address) {
    int bits = code.bits(insn.operandSize);
    return switch (code.kind()) {
      case RM ->
          insn.memory ? memory(insn, code, bits) : general(insn.rm, registerBits(insn, bits));
      case RM_REGISTER -> general(insn.rm, registerBits(insn, bits));
      case REG, OPCODE -> general(insn.reg, registerBits(insn, bits));
      case VVVV -> general(insn.vvvv, bits);
      case MEMORY, OFFSET -> memory(insn, code, bits);
      case IMMEDIATE -> immediate(insn, code);
      case RELATIVE -> target(insn, address);
      case FAR_POINTER ->
          "0x" + Integer.toHexString(insn.immediate2) + ":0x" + Long.toHexString(insn.immediate);
      case SEGMENT -> SEGMENTS.get(insn.reg);
      case CONTROL -> "cr" + insn.reg;
      case DEBUG -> "dr" + insn.reg;
      case SOURCE_STRING ->
          pointer(bits) + SEGMENTS.get(insn.segment) + ":[" + general(6, insn.addressSize) + "]";
      case TARGET_STRING -> pointer(bits) + "es:[" + general(7, insn.addressSize) + "]";
      case XLAT ->
          pointer(bits) + SEGMENTS.get(insn.segment) + ":[" + general(3, insn.addressSize) + "]";
      case ONE -> "1";
      case FIXED_REGISTER -> general(code.fixed(), bits);
      case FIXED_SEGMENT -> SEGMENTS.get(code.fixed());
      case FIXED_XMM -> "xmm" + code.fixed();
      case MMX_REG -> "mm" + insn.reg;
      case MMX_RM -> insn.memory ? memory(insn, code, bits) : "mm" + insn.rm;
      case MMX_RM_REGISTER -> "mm" + insn.rm;
      case XMM_REG -> "xmm" + insn.reg;
      case XMM_RM -> insn.memory ? memory(insn, code, bits) : "xmm" + insn.rm;
      case XMM_RM_REGISTER -> "xmm" + insn.rm;
      case X87_TOP -> "st";
      case X87_RM -> "st(" + insn.rm + ")";
    };
  }

  /**
   * How wide a register is shown: some operands of 16 bits are shown as wide as the operand size.
   */
  private static int registerBits(Insn insn, int bits) {
    return switch (insn.row.meaning()) {
      case "LAR", "LSL" -> insn.operandSize;
      case "MOV_S_E" -> insn.mode == 16 ? 16 : 32;
      case "MOV_R_C", "MOV_C_R", "MOV_R_D", "MOV_D_R" -> insn.mode == 64 ? 64 : 32;
      default -> bits;
    };
  }

  private static String general(int number, int bits) {
    if (bits == 8) {
      return number >= 16
          ? HIGH_BYTES.get(number - 16)
          : number >= 8 ? "r" + number + "b" : LOW_BYTES.get(number);
    }
    String suffix = bits == 16 ? "w" : bits == 32 ? "d" : "";
    String prefix = bits == 16 ? "" : bits == 32 ? "e" : "r";
    return number >= 8 ? "r" + number + suffix : prefix + WORDS.get(number);
  }

  private static String pointer(int bits) {
    return switch (bits) {
      case 8 -> "BYTE PTR ";
      case 16 -> "WORD PTR ";
      case 32 -> "DWORD PTR ";
      case 48 -> "FWORD PTR ";
      case 64 -> "QWORD PTR ";
      case 80 -> "TBYTE PTR ";
      case 128 -> "XMMWORD PTR ";
      default -> "";
    };
  }

  private static String memory(Insn insn, OperandCode code, int bits) {
    StringBuilder text = new StringBuilder();
    if (insn.row.meaning().equals("INVLPG")) {
      text.append(pointer(8));
    } else if (code == OperandCode.M_DQ && !insn.row.has(Row.SSE)) {
      text.append(insn.row.meaning().equals("INVPCID") ? "" : "OWORD PTR ");
    } else if (code.size() == Size.P && bits == 80) {
      text.append(pointer(48));
    } else if (code.size() != Size.S
        && code.kind() != Kind.OFFSET
        && !insn.row.mnemonic().equals("LDDQU")) {
      text.append(pointer(bits));
    }
    boolean absolute = isAbsolute(insn);
    boolean noIndex =
        absolute && insn.mode == 64 && insn.addressSize == 32 && insn.row.encoding().modRm();
    if ((insn.segment != InsnEncoder.defaultSegment(insn) && !notrack(insn))
        || (absolute && !noIndex)) {
      text.append(SEGMENTS.get(insn.segment)).append(':');
    }
    String displacement = Long.toHexString(insn.displacement & mask(insn.addressSize));
    if (noIndex) {
      return text.append("[eiz*1+0x").append(displacement).append(']').toString();
    }
    if (absolute) {
      return text.append("0x").append(displacement).toString();
    }
    if (insn.ripRelative) {
      return text.append(insn.addressSize == 64 ? "[rip+0x" : "[eip+0x")
          .append(Long.toHexString(insn.displacement))
          .append(']')
          .toString();
    }
    text.append('[');
    if (insn.base != NO_REGISTER) {
      text.append(general(insn.base, insn.addressSize));
    }
    if (insn.index != NO_REGISTER) {
      text.append(insn.base == NO_REGISTER ? "" : "+")
          .append(general(insn.index, insn.addressSize));
      if (insn.addressSize != 16) {
        text.append('*').append(1 << insn.scale);
      }
    }
    if (insn.sib
        && insn.index == NO_REGISTER
        && insn.base != NO_REGISTER
        && (insn.base & 7) != STACK_POINTER) {
      text.append(insn.addressSize == 64 ? "+riz*1" : "+eiz*1"); // a longer form than it needs
    }
    if (insn.displaced) {
      text.append(insn.displacement < 0 ? "-0x" : "+0x")
          .append(Long.toHexString(Math.abs(insn.displacement)));
    }
    return text.append(']').toString();
  }

  private static long mask(int bits) {
    return bits == 64 ? -1 : (1L << bits) - 1;
  }

  private static String immediate(Insn insn, OperandCode code) {
    boolean second = code == OperandCode.I_B && insn.row.operand(0) == OperandCode.I_W;
    long value = second ? insn.immediate2 : insn.immediate;
    return "0x" + Long.toHexString(value & mask(insn.operandSize));
  }

  private static String target(Insn insn, long address) {
    long next = address + insn.length;
    long target = (next + insn.immediate) & mask(insn.operandSize);
    boolean near = insn.mode == 16 || insn.row.operand(0) == OperandCode.J_B;
    if (near && insn.operandSize == 16) {
      // Wraps within 64 KiB; what is disassembled can be larger.
      target |= next & ~mask(16);
    }
    return "0x" + Long.toHexString(target);
  }
}
