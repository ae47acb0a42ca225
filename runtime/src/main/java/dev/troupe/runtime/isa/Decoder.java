package dev.troupe.runtime.isa;

import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.OperandCode.Size;

/**
 * Reads one instruction from guest bytes (Intel SDM volume 2, chapter 2). Driven by the instruction
 * table; not safe for use by several threads at once, cheap to make.
 */
public final class Decoder {
  /** The most bytes that an instruction can have; more is #GP. */
  public static final int MAX_LENGTH = 15;

  /** Where instruction bytes come from. */
  @FunctionalInterface
  public interface ByteSource {
    /**
     * The byte at {@code offset} (0 to 14) from the instruction's start, zero-extended. May throw a
     * fault, which passes through the decoder; each byte is asked for once, in order, and none that
     * the instruction does not have.
     */
    int at(int offset);
  }

  /** How decoding ended. */
  public enum Result {
    DECODED,
    /** #UD. */
    UNDEFINED,
    /** #GP(0): longer than 15 bytes. */
    TOO_LONG
  }

  private static final int NO_REGISTER = 16;
  private static final int ES = 0;
  private static final int SS = 2;
  private static final int DS = 3;
  private static final int FS = 4;

  /** Bases and indexes of 16-bit addresses by ModRM.rm. */
  static final int[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};

  static final int[] INDEX_16 = {6, 7, 6, 7, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER};

  /** The sixteenth byte was asked for. */
  private static final class TooLong extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooLong() {
      super(null, null, false, false);
    }
  }

  private static final TooLong TOO_LONG = new TooLong();

  private final DecodeTable table;

  // The instruction in hand.
  private ByteSource bytes;
  private int position;
  private Insn insn;
  private int mode;
  private boolean operandPrefix;
  private int lastRepeat;
  private int segmentPrefix;
  private boolean vex;

  public Decoder(DecodeTable table) {
    this.table = table;
  }

  /**
   * Decodes one instruction.
   *
   * @param codeMode 16, 32 or 64
   * @param source its bytes
   * @param into filled out; of use only if the result is DECODED
   */
  public Result decode(int codeMode, ByteSource source, Insn into) {
    bytes = source;
    position = 0;
    insn = into;
    mode = codeMode;
    try {
      boolean good = decode();
      into.length = position;
      return good ? Result.DECODED : Result.UNDEFINED;
    } catch (TooLong e) {
      into.length = MAX_LENGTH;
      return Result.TOO_LONG;
    } finally {
      bytes = null;
    }
  }

  private boolean decode() {
    reset();
    int opcode = prefixes();
    int map = 0;
    if (opcode == 0x0F) {
      opcode = next();
      map = 1;
      if (opcode == 0x38 || opcode == 0x3A) {
        map = opcode == 0x38 ? 2 : 3;
        opcode = next();
      }
    } else if (opcode == 0xC4 || opcode == 0xC5) {
      int second = next();
      if (mode == 64 || second >= 0xC0) {
        return vexPrefix(opcode, second);
      }
      return row(0, opcode, prefixClass(), second);
    }
    return row(map, opcode, prefixClass(), -1);
  }

  private void reset() {
    Insn i = insn;
    i.row = null;
    i.mode = mode;
    i.reg = 0;
    i.rm = -1;
    i.memory = false;
    i.base = NO_REGISTER;
    i.index = NO_REGISTER;
    i.scale = 0;
    i.displacement = 0;
    i.displaced = false;
    i.sib = false;
    i.ripRelative = false;
    i.segment = DS;
    i.immediate = 0;
    i.immediate2 = 0;
    i.lock = false;
    i.repeat = 0;
    i.rex = 0;
    i.vvvv = 0;
    i.addressSize = mode;
    operandPrefix = false;
    lastRepeat = 0;
    segmentPrefix = -1;
    vex = false;
  }

  /**
   * Takes the prefixes and returns the byte after them. A REX prefix counts only right before the
   * opcode.
   */
  private int prefixes() {
    while (true) {
      int b = next();
      int segment = -1;
      switch (b) {
        case 0x26, 0x2E, 0x36, 0x3E -> segment = mode == 64 ? segmentPrefix : b >> 3 & 3;
        case 0x64, 0x65 -> segment = FS + (b & 1);
        case 0x66 -> operandPrefix = true;
        case 0x67 -> insn.addressSize = mode == 32 ? 16 : 32;
        case 0xF0 -> insn.lock = true;
        case 0xF2, 0xF3 -> lastRepeat = b;
        default -> {
          if (mode == 64 && (b & 0xF0) == 0x40) {
            insn.rex = b;
            continue;
          }
          return b;
        }
      }
      if (b != 0x66 && b != 0x67 && b < 0xF0) {
        segmentPrefix = segment;
      }
      insn.rex = 0;
    }
  }

  private boolean vexPrefix(int first, int second) {
    // Prefixes that make it undefined do not keep its bytes from being fetched.
    final boolean allowed = !operandPrefix && lastRepeat == 0 && !insn.lock && insn.rex == 0;
    vex = true;
    int map = 1;
    int last = second;
    int rex = 0x40 | (~second >> 5 & 4);
    if (first == 0xC4) {
      map = second & 0x1F;
      last = next();
      rex |= (~second >> 5 & 3) | (last >> 4 & 8);
    }
    if (mode == 64) {
      insn.rex = rex;
      insn.vvvv = ~last >> 3 & 15;
    } else {
      insn.vvvv = ~last >> 3 & 7;
    }
    if (map < 1 || map > 3 || (last & 4) != 0) {
      return false;
    }
    int opcode = next();
    return row(map, opcode, last & 3, -1) && allowed && (usesVvvv() || (~last >> 3 & 15) == 0);
  }

  private boolean usesVvvv() {
    for (int n = 0; n < insn.row.operands().size(); n++) {
      if (insn.row.operands().get(n).kind() == Kind.VVVV) {
        return true;
      }
    }
    return false;
  }

  private int prefixClass() {
    return switch (lastRepeat) {
      case 0xF3 -> Opcode.PREFIX_F3;
      case 0xF2 -> Opcode.PREFIX_F2;
      default -> operandPrefix ? Opcode.PREFIX_66 : Opcode.PREFIX_NONE;
    };
  }

  private boolean row(int map, int opcode, int prefixClass, int knownModRm) {
    int modRm = knownModRm;
    int entry = table.entry(DecodeTable.key(vex, map, opcode, prefixClass));
    if (entry == DecodeTable.NONE) {
      return false;
    }
    if (entry < DecodeTable.NONE) {
      modRm = modRm < 0 ? next() : modRm;
      entry = table.byModRm(entry, modRm);
      if (entry < 0) {
        return false;
      }
    } else if (modRm < 0 && table.hasModRm(entry)) {
      modRm = next();
    }
    Row row = table.select(entry, mode, insn.rex >> 3 & 1, insn.rex & 1);
    if (row == null) {
      return false;
    }
    insn.row = row;
    Opcode encoding = row.encoding();
    if (encoding.prefix() != Opcode.PREFIX_F3 && encoding.prefix() != Opcode.PREFIX_F2) {
      insn.repeat = lastRepeat;
    }
    operandSize(row, encoding.prefix() == Opcode.PREFIX_66);
    if (modRm >= 0) {
      modRm(row, modRm);
    } else if (encoding.registerInOpcode()) {
      insn.reg = (opcode & 7) | (insn.rex & 1) << 3;
      if (row.operands().get(0) == OperandCode.Z_B) {
        insn.reg = byteRegister(insn.reg);
      }
    }
    boolean good = true;
    for (int n = 0; n < row.operands().size(); n++) {
      good &= operand(row.operands().get(n), n);
    }
    if (!insn.memory && segmentPrefix >= 0) {
      // For memory that no operand names: MASKMOVQ's target, MONITOR's range.
      insn.segment = segmentPrefix;
    }
    if (insn.lock && !(row.has(Row.LOCK) && insn.memory)) {
      return false;
    }
    return good;
  }

  private void operandSize(Row row, boolean prefixIsOpcode) {
    boolean prefixed = operandPrefix && !prefixIsOpcode;
    int size;
    if (mode == 64) {
      if ((insn.rex & 8) != 0 || row.has(Row.F64)) {
        size = 64;
      } else if (prefixed) {
        size = 16;
      } else {
        size = row.has(Row.D64) ? 64 : 32;
      }
    } else {
      size = mode == 32 == prefixed ? 16 : 32;
    }
    insn.operandSize = size;
  }

  private int byteRegister(int number) {
    return insn.rex == 0 && number >= 4 ? number + 12 : number;
  }

  private void modRm(Row row, int modRm) {
    insn.reg = (modRm >> 3 & 7) | (insn.rex & 4) << 1;
    if (modRm >= 0xC0 || row.has(Row.REGISTER)) {
      insn.rm = (modRm & 7) | (insn.rex & 1) << 3;
      return;
    }
    insn.memory = true;
    if (insn.addressSize == 16) {
      address16(modRm);
    } else {
      address32(modRm);
    }
    if (segmentPrefix >= 0) {
      insn.segment = segmentPrefix;
    }
  }

  private void address16(int modRm) {
    int mod = modRm >> 6;
    int rm = modRm & 7;
    insn.displaced = mod != 0;
    if (mod == 0 && rm == 6) {
      insn.displacement = (short) unsigned(2);
      return;
    }
    insn.base = BASE_16[rm];
    insn.index = INDEX_16[rm];
    insn.segment = insn.base == 5 ? SS : DS;
    if (mod == 1) {
      insn.displacement = (byte) next();
    } else if (mod == 2) {
      insn.displacement = (short) unsigned(2);
    }
  }

  private void address32(int modRm) {
    int mod = modRm >> 6;
    int rm = modRm & 7;
    int base = rm | (insn.rex & 1) << 3;
    insn.displaced = mod != 0;
    if (rm == 4) {
      int sib = next();
      insn.sib = true;
      int index = (sib >> 3 & 7) | (insn.rex & 2) << 2;
      base = (sib & 7) | (insn.rex & 1) << 3;
      if (index != 4) {
        insn.index = index;
        insn.scale = sib >> 6;
      }
      if (mod == 0 && (base & 7) == 5) {
        base = NO_REGISTER;
        insn.displaced = true;
        insn.displacement = (int) unsigned(4);
      }
    } else if (mod == 0 && rm == 5) {
      base = NO_REGISTER;
      insn.ripRelative = mode == 64;
      insn.displacement = (int) unsigned(4);
    }
    insn.base = base;
    insn.segment = base == 4 || base == 5 ? SS : DS;
    if (mod == 1) {
      insn.displacement = (byte) next();
    } else if (mod == 2) {
      insn.displacement = (int) unsigned(4);
    }
  }

  /** Finishes one operand; false if it names what does not exist. */
  private boolean operand(OperandCode code, int place) {
    switch (code.kind()) {
      case RM, RM_REGISTER -> {
        if (code.size() == Size.B && insn.rm >= 0) {
          insn.rm = byteRegister(insn.rm);
        }
      }
      case REG -> {
        if (code.size() == Size.B) {
          insn.reg = byteRegister(insn.reg);
        }
      }
      case MMX_REG -> insn.reg &= 7;
      case MMX_RM, MMX_RM_REGISTER, X87_RM -> {
        if (insn.rm >= 0) {
          insn.rm &= 7;
        }
      }
      case SEGMENT -> {
        insn.reg &= 7;
        // MOV to CS is #UD.
        return insn.reg < 6 && !(place == 0 && insn.reg == 1);
      }
      case CONTROL -> {
        return insn.reg == 0 || (insn.reg >= 2 && insn.reg <= 4) || insn.reg == 8;
      }
      case DEBUG -> {
        return insn.reg < 8;
      }
      case IMMEDIATE -> immediate(code, place);
      case RELATIVE ->
          insn.immediate = signed(code == OperandCode.J_B ? 1 : insn.operandSize == 16 ? 2 : 4);
      case FAR_POINTER -> {
        insn.immediate = unsigned(insn.operandSize / 8);
        insn.immediate2 = (int) unsigned(2);
      }
      case OFFSET -> {
        insn.memory = true;
        insn.displacement = unsigned(insn.addressSize / 8);
        insn.segment = segmentPrefix >= 0 ? segmentPrefix : DS;
      }
      case SOURCE_STRING -> string(6, segmentPrefix >= 0 ? segmentPrefix : DS);
      case TARGET_STRING -> {
        // Of the two string operands the insn keeps the source, whose segment can vary.
        if (!insn.memory) {
          string(7, ES);
        }
      }
      case XLAT -> string(3, segmentPrefix >= 0 ? segmentPrefix : DS);
      default -> {}
    }
    return true;
  }

  private void string(int base, int segment) {
    insn.memory = true;
    insn.base = base;
    insn.segment = segment;
  }

  private void immediate(OperandCode code, int place) {
    switch (code) {
      case I_B -> {
        int value = next();
        if (place == 1 && insn.row.operands().get(0) == OperandCode.I_W) {
          insn.immediate2 = value;
        } else {
          insn.immediate = value;
        }
      }
      case I_BS -> insn.immediate = (byte) next();
      case I_W -> insn.immediate = unsigned(2);
      default -> insn.immediate = signed(code.bits(insn.operandSize) / 8);
    }
  }

  private long signed(int size) {
    int shift = 64 - 8 * size;
    return unsigned(size) << shift >> shift;
  }

  private long unsigned(int size) {
    long value = 0;
    for (int n = 0; n < size; n++) {
      value |= (long) next() << (8 * n);
    }
    return value;
  }

  private int next() {
    if (position == MAX_LENGTH) {
      throw TOO_LONG;
    }
    int b = bytes.at(position);
    position++;
    return b;
  }
}
