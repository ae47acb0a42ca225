package dev.troupe.runtime.isa;

import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.OperandCode.Size;
import java.util.Arrays;

/**
 * Turns a filled {@link Insn} back into bytes: the decoder's inverse, in the shortest form without
 * redundant prefixes. Tests and the oracle make their cases with it; {@link InsnGenerator} fills
 * the Insn.
 */
public final class InsnEncoder {
  private static final int NO_REGISTER = 16;
  private static final int[] SEGMENT_PREFIXES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65};

  private final byte[] out = new byte[32];
  private int length;

  /**
   * The instruction's bytes. Uses row, mode, operandSize, addressSize, reg, rm or the address
   * fields, segment, immediates, lock, repeat and vvvv; sets length and rex.
   *
   * @return 1 to 15 bytes, or null if the choices cannot be encoded together (AH with a REX prefix,
   *     a register or size that the mode lacks)
   */
  public byte[] encode(Insn insn) {
    length = 0;
    Row row = insn.row;
    Opcode opcode = row.encoding();
    int mode = insn.mode;
    boolean prefix66 = opcode.prefix() == Opcode.PREFIX_66 && !opcode.vex();
    int w = opcode.w() == 1 ? 1 : 0;
    int natural = naturalSize(row, mode);
    if (insn.operandSize != natural && w == 0) {
      if (insn.operandSize == 64) {
        w = 1;
      } else if ((mode == 64 && natural == 64 && insn.operandSize != 16)
          || (row.has(Row.F64) && mode == 64)
          || (opcode.prefix() != Opcode.PREFIX_ANY
              && opcode.prefix() != Opcode.PREFIX_NO_F
              && opcode.prefix() < Opcode.PREFIX_F3)) {
        return null;
      } else {
        prefix66 = true;
      }
    }
    int rex = rex(insn, w);
    if (rex < 0 || (rex != 0 && mode != 64)) {
      return null;
    }
    insn.rex = opcode.vex() && mode == 64 ? 0x40 | rex : rex;
    if (insn.addressSize != mode) {
      if (mode == 64 ? insn.addressSize != 32 : insn.addressSize == 64) {
        return null;
      }
      put(0x67);
    }
    if (insn.memory && insn.segment != defaultSegment(insn)) {
      if ((mode == 64 && insn.segment < 4) || fixedSegment(row)) {
        return null;
      }
      put(SEGMENT_PREFIXES[insn.segment]);
    }
    if (insn.lock) {
      put(0xF0);
    }
    if (insn.repeat != 0) {
      put(insn.repeat);
    }
    if (opcode.vex()) {
      vex(insn, rex);
    } else {
      legacy(opcode, prefix66, rex);
    }
    int low = opcode.registerInOpcode() ? number(insn.reg) & 7 : 0;
    put(opcode.code() + low);
    if (opcode.modRm()) {
      modRm(insn);
    }
    immediates(insn);
    if (length > Decoder.MAX_LENGTH) {
      return null;
    }
    insn.length = length;
    return Arrays.copyOf(out, length);
  }

  /** The operand size without prefixes: 16, 32 or 64. */
  static int naturalSize(Row row, int mode) {
    if (mode != 64) {
      return mode;
    }
    return row.has(Row.D64 | Row.F64) || row.encoding().w() == 1 ? 64 : 32;
  }

  /** The segment that a memory operand has without an override. */
  static int defaultSegment(Insn insn) {
    if (fixedSegment(insn.row)) {
      return 0;
    }
    boolean stack =
        insn.row.encoding().modRm()
            && (insn.base == 5 || (insn.base == 4 && insn.addressSize != 16));
    return stack ? 2 : 3;
  }

  /** True for rows whose only memory operand is at ES:rDI. */
  private static boolean fixedSegment(Row row) {
    boolean target = false;
    for (OperandCode operand : row.operands()) {
      target |= operand.kind() == Kind.TARGET_STRING;
      if (operand.kind() == Kind.SOURCE_STRING) {
        return false;
      }
    }
    return target;
  }

  private static int number(int register) {
    return register >= 16 ? register - 12 : register;
  }

  /** The REX byte (also for VEX), 0 for none, -1 if impossible. */
  private static int rex(Insn insn, int w) {
    int bits = w << 3;
    boolean needed = false;
    boolean forbidden = false;
    for (OperandCode operand : insn.row.operands()) {
      if (operand.size() == Size.B) {
        int register =
            switch (operand.kind()) {
              case REG, OPCODE -> insn.reg;
              case RM -> insn.rm;
              default -> 0;
            };
        needed |= register >= 4 && register < 8;
        forbidden |= register >= 16;
      }
    }
    if (insn.row.encoding().registerInOpcode()) {
      bits |= number(insn.reg) >> 3;
    } else {
      bits |= number(insn.reg) >> 3 << 2;
      if (insn.rm >= 0) {
        bits |= number(insn.rm) >> 3;
      } else if (insn.memory) {
        bits |= insn.base == NO_REGISTER ? 0 : insn.base >> 3;
        bits |= insn.index == NO_REGISTER ? 0 : insn.index >> 3 << 1;
      }
    }
    if (insn.row.encoding().withoutRexB() && (bits & 1) != 0) {
      return -1;
    }
    boolean present = bits != 0 || needed;
    return present ? forbidden ? -1 : 0x40 | bits : 0;
  }

  private void legacy(Opcode opcode, boolean prefix66, int rex) {
    if (prefix66) {
      put(0x66);
    }
    if (opcode.prefix() == Opcode.PREFIX_F3) {
      put(0xF3);
    } else if (opcode.prefix() == Opcode.PREFIX_F2) {
      put(0xF2);
    }
    if (rex != 0) {
      put(rex);
    }
    if (opcode.map() > 0) {
      put(0x0F);
    }
    if (opcode.map() > 1) {
      put(opcode.map() == 2 ? 0x38 : 0x3A);
    }
  }

  private void vex(Insn insn, int rex) {
    Opcode opcode = insn.row.encoding();
    put(0xC4);
    put((~rex & 7) << 5 | opcode.map());
    put((rex & 8) << 4 | (~insn.vvvv & 15) << 3 | opcode.prefix());
  }

  private void modRm(Insn insn) {
    Opcode opcode = insn.row.encoding();
    int reg = (opcode.digit() >= 0 ? opcode.digit() : number(insn.reg) & 7) << 3;
    if (insn.rm >= 0 || opcode.rm() >= 0) {
      put(0xC0 | reg | (opcode.rm() >= 0 ? opcode.rm() : number(insn.rm) & 7));
    } else if (insn.addressSize == 16) {
      address16(insn, reg);
    } else {
      address32(insn, reg);
    }
  }

  private void address16(Insn insn, int reg) {
    if (insn.base == NO_REGISTER) {
      put(reg | 6);
      put(insn.displacement, 2);
      return;
    }
    int rm = 0;
    while (Decoder.BASE_16[rm] != insn.base || Decoder.INDEX_16[rm] != insn.index) {
      rm++;
    }
    if (insn.displacement == 0 && rm != 6) {
      put(reg | rm);
    } else if (insn.displacement == (byte) insn.displacement) {
      put(0x40 | reg | rm);
      put(insn.displacement, 1);
    } else {
      put(0x80 | reg | rm);
      put(insn.displacement, 2);
    }
  }

  private void address32(Insn insn, int reg) {
    if (insn.base == NO_REGISTER) {
      if (insn.index == NO_REGISTER && (insn.ripRelative || insn.mode != 64)) {
        put(reg | 5);
      } else {
        put(reg | 4);
        put(insn.scale << 6 | (insn.index == NO_REGISTER ? 4 : insn.index & 7) << 3 | 5);
      }
      put(insn.displacement, 4);
      return;
    }
    int base = insn.base & 7;
    int mod = 2;
    if (insn.displacement == 0 && base != 5) {
      mod = 0;
    } else if (insn.displacement == (byte) insn.displacement) {
      mod = 1;
    }
    if (insn.index != NO_REGISTER || base == 4) {
      put(mod << 6 | reg | 4);
      put(insn.scale << 6 | (insn.index == NO_REGISTER ? 4 : insn.index & 7) << 3 | base);
    } else {
      put(mod << 6 | reg | base);
    }
    if (mod != 0) {
      put(insn.displacement, mod == 1 ? 1 : 4);
    }
  }

  private void immediates(Insn insn) {
    int place = 0;
    for (OperandCode operand : insn.row.operands()) {
      switch (operand.kind()) {
        case IMMEDIATE -> {
          boolean second = place > 0 && insn.row.operands().get(0) == OperandCode.I_W;
          put(second ? insn.immediate2 : insn.immediate, operand.bits(insn.operandSize) / 8);
        }
        case RELATIVE ->
            put(insn.immediate, operand == OperandCode.J_B ? 1 : insn.operandSize == 16 ? 2 : 4);
        case FAR_POINTER -> {
          put(insn.immediate, insn.operandSize / 8);
          put(insn.immediate2, 2);
        }
        case OFFSET -> put(insn.displacement, insn.addressSize / 8);
        default -> {}
      }
      place++;
    }
  }

  private void put(int value) {
    out[length++] = (byte) value;
  }

  private void put(long value, int size) {
    for (int n = 0; n < size; n++) {
      out[length++] = (byte) (value >> (8 * n));
    }
  }
}
