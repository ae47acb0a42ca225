package dev.troupe.runtime.engine.translator;

import java.util.Arrays;

/**
 * Host machine code in the making (Intel SDM vol. 2, chapter 2). Registers are numbers 0 to 15;
 * {@code wide} is REX.W. Positions are offsets from the first byte.
 */
final class Assembler {
  static final int RAX = 0;
  static final int RSP = 4;
  static final int R9 = 9;
  static final int R10 = 10;
  static final int R11 = 11;
  static final int R15 = 15;

  /** Condition codes of Jcc. */
  static final int NOT_EQUAL = 5;

  static final int ABOVE = 7;
  static final int ABOVE_OR_EQUAL = 3;
  static final int BELOW_OR_EQUAL = 6;
  static final int SIGN = 8;

  private byte[] bytes = new byte[4096];
  private int length;

  int position() {
    return length;
  }

  void clear() {
    length = 0;
  }

  byte[] bytes() {
    return Arrays.copyOf(bytes, length);
  }

  void emit(int value) {
    if (length == bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * length);
    }
    bytes[length++] = (byte) value;
  }

  void emit(byte[] code) {
    for (byte b : code) {
      emit(b);
    }
  }

  void emit(int... values) {
    for (int value : values) {
      emit(value);
    }
  }

  void emit32(int value) {
    for (int n = 0; n < 32; n += 8) {
      emit(value >> n);
    }
  }

  private void emit64(long value) {
    emit32((int) value);
    emit32((int) (value >> 32));
  }

  private void rex(boolean wide, int reg, int index, int base) {
    int rex = (wide ? 8 : 0) | reg >> 3 << 2 | index >> 3 << 1 | base >> 3;
    if (rex != 0) {
      emit(0x40 | rex);
    }
  }

  private void opcode(int opcode) {
    if (opcode > 0xFF) {
      emit(opcode >> 8);
    }
    emit(opcode);
  }

  /** An instruction with the operands {@code [rsp + disp]} and {@code reg}, or a digit for it. */
  void state(boolean wide, int opcode, int reg, int disp) {
    rex(wide, reg, 0, RSP);
    opcode(opcode);
    boolean small = disp == (byte) disp;
    emit((small ? 0x44 : 0x84) | (reg & 7) << 3);
    emit(0x24);
    if (small) {
      emit(disp);
    } else {
      emit32(disp);
    }
  }

  /** The same with {@code [rsp + index + disp]}. */
  void stateAt(boolean wide, int opcode, int reg, int index, int disp) {
    rex(wide, reg, index, RSP);
    opcode(opcode);
    emit(0x84 | (reg & 7) << 3);
    emit((index & 7) << 3 | 4);
    emit32(disp);
  }

  /** The same with {@code [r11 + r10]}: guest memory after a check. */
  void memory(boolean wide, int opcode, int reg) {
    rex(wide, reg, R10, R11);
    opcode(opcode);
    emit(0x04 | (reg & 7) << 3);
    emit((R10 & 7) << 3 | (R11 & 7));
  }

  /** The same with two registers; {@code rm} is the one of ModRM.rm. */
  void registers(boolean wide, int opcode, int reg, int rm) {
    rex(wide, reg, 0, rm);
    opcode(opcode);
    emit(0xC0 | (reg & 7) << 3 | (rm & 7));
  }

  void move(int to, int from) {
    registers(true, 0x8B, to, from);
  }

  void load(int to, int disp) {
    state(true, 0x8B, to, disp);
  }

  void store(int from, int disp) {
    state(true, 0x89, from, disp);
  }

  /** {@code lea to, [base + disp]}; changes no flags. */
  void add(int to, int base, int disp) {
    rex(true, to, 0, base);
    emit(0x8D);
    emit(0x80 | (to & 7) << 3 | (base & 7));
    if ((base & 7) == RSP) {
      emit(0x24);
    }
    emit32(disp);
  }

  /** The shortest move of a constant; changes no flags. */
  void constant(int to, long value) {
    if (value >>> 32 == 0) {
      rex(false, 0, 0, to);
      emit(0xB8 | (to & 7));
      emit32((int) value);
    } else if (value == (int) value) {
      rex(true, 0, 0, to);
      emit(0xC7, 0xC0 | (to & 7));
      emit32((int) value);
    } else {
      rex(true, 0, 0, to);
      emit(0xB8 | (to & 7));
      emit64(value);
    }
  }

  /** {@code rorx to, from, count} (BMI2); changes no flags. */
  void rotate(int to, int from, int count) {
    emit(0xC4, (to < 8 ? 0x80 : 0) | 0x40 | (from < 8 ? 0x20 : 0) | 3, 0xFB, 0xF0);
    emit(0xC0 | (to & 7) << 3 | (from & 7), count);
  }

  /** {@code and reg32, constant}. */
  void and32(int reg, int constant) {
    rex(false, 0, 0, reg);
    emit(0x81, 0xE0 | (reg & 7));
    emit32(constant);
  }

  /** {@code cmp reg64, constant}. */
  void compare(int reg, int constant) {
    rex(true, 0, 0, reg);
    emit(0x81, 0xF8 | (reg & 7));
    emit32(constant);
  }

  /** {@code push constant}. */
  void push(int constant) {
    emit(0x68);
    emit32(constant);
  }

  /** A jump whose distance is still to be given. */
  int jump() {
    emit(0xE9);
    emit32(0);
    return length - 4;
  }

  /** A conditional jump whose distance is still to be given. */
  int jump(int condition) {
    emit(0x0F, 0x80 | condition);
    emit32(0);
    return length - 4;
  }

  /** Gives the distance at {@code site} that leads to {@code target}; both may be outside. */
  void patch(int site, long target) {
    int distance = Math.toIntExact(target - (site + 4));
    for (int n = 0; n < 4; n++) {
      bytes[site + n] = (byte) (distance >> (8 * n));
    }
  }
}
