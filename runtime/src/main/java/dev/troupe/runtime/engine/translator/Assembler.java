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
  static final int EQUAL = 4;

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

  /** Prefixes of an operation of 8, 16, 32 or 64 bits; the low byte of every register has one. */
  private void sized(int bits, int reg, int rm) {
    if (bits == 16) {
      emit(0x66);
    }
    int rex = (bits == 64 ? 8 : 0) | reg >> 3 << 2 | rm >> 3;
    if (rex != 0 || bits == 8) {
      emit(0x40 | rex);
    }
  }

  private static int full(int bits) {
    return bits == 8 ? 0 : 1;
  }

  /** {@code to = to op from}; operations with one operand ignore {@code from}. */
  void arithmetic(Arithmetic operation, int bits, int to, int from) {
    switch (operation) {
      case NEG -> {
        sized(bits, 0, to);
        emit(0xF6 | full(bits), 0xC0 | operation.digit << 3 | (to & 7));
      }
      case IMUL2 -> {
        sized(bits, to, from);
        emit(0x0F, 0xAF, 0xC0 | (to & 7) << 3 | (from & 7));
      }
      default -> {
        sized(bits, from, to);
        int opcode = operation == Arithmetic.TEST ? 0x84 : operation.digit << 3;
        emit(opcode | full(bits), 0xC0 | (from & 7) << 3 | (to & 7));
      }
    }
  }

  /** The same with {@code [rsp + disp]}; not for shifts and negation. */
  void arithmeticState(Arithmetic operation, int bits, int to, int disp) {
    sized(bits, to, 0);
    switch (operation) {
      case IMUL2 -> emit(0x0F, 0xAF);
      case TEST -> emit(0x84 | full(bits));
      default -> emit(operation.digit << 3 | 2 | full(bits));
    }
    stateOperand(to, disp);
  }

  /** The same with a constant: a shift's count, 8 bits; else 32 bits, or as many as there are. */
  void arithmeticConstant(Arithmetic operation, int bits, int to, int value) {
    boolean small = bits == 8 || (value == (byte) value && operation != Arithmetic.TEST);
    sized(bits, operation == Arithmetic.IMUL3 ? to : 0, to);
    if (operation.shift()) {
      emit(0xC0 | full(bits), 0xC0 | operation.digit << 3 | (to & 7), value);
      return;
    }
    switch (operation) {
      case IMUL3 -> emit(small ? 0x6B : 0x69, 0xC0 | (to & 7) << 3 | (to & 7));
      case TEST -> emit(0xF6 | full(bits), 0xC0 | (to & 7));
      default ->
          emit(bits == 8 ? 0x80 : small ? 0x83 : 0x81, 0xC0 | operation.digit << 3 | (to & 7));
    }
    if (small) {
      emit(value);
    } else if (bits == 16) {
      emit(value, value >> 8);
    } else {
      emit32(value);
    }
  }

  /** An instruction with the operands {@code [rsp + disp]} and {@code reg}, or a digit for it. */
  void state(boolean wide, int opcode, int reg, int disp) {
    rex(wide, reg, 0, RSP);
    opcode(opcode);
    stateOperand(reg, disp);
  }

  private void stateOperand(int reg, int disp) {
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

  /** The same with {@code [r11 + r10 + disp]}, -128 to 127. */
  void memoryAt(boolean wide, int opcode, int reg, int disp) {
    rex(wide, reg, R10, R11);
    opcode(opcode);
    emit(0x44 | (reg & 7) << 3);
    emit((R10 & 7) << 3 | (R11 & 7), disp);
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
    add(true, to, base, disp);
  }

  /** The same, cut to 32 bits unless wide. */
  void add(boolean wide, int to, int base, int disp) {
    rex(wide, to, 0, base);
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

  /** {@code setcc reg8}. */
  void set(int condition, int reg) {
    emit(0x40 | reg >> 3, 0x0F, 0x90 | condition, 0xC0 | (reg & 7));
  }

  /** {@code shl reg32, count}. */
  void shiftLeft(int reg, int count) {
    rex(false, 0, 0, reg);
    emit(0xC1, 0xE0 | (reg & 7), count);
  }

  /** {@code and reg, constant}. */
  void and(boolean wide, int reg, int constant) {
    rex(wide, 0, 0, reg);
    emit(0x81, 0xE0 | (reg & 7));
    emit32(constant);
  }

  /** {@code cmp reg64, constant}. */
  void compare(int reg, int constant) {
    compare(true, reg, constant);
  }

  /** {@code cmp reg, constant}. */
  void compare(boolean wide, int reg, int constant) {
    rex(wide, 0, 0, reg);
    emit(0x81, 0xF8 | (reg & 7));
    emit32(constant);
  }

  /** {@code cmp reg64, with}. */
  void compareRegisters(int reg, int with) {
    registers(true, 0x3B, reg, with);
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

  /** A call whose distance is still to be given. */
  int call() {
    emit(0xE8);
    emit32(0);
    return length - 4;
  }

  /** A jump to a position that is known. */
  void jumpTo(int position) {
    int site = jump();
    patch(site, position);
  }

  /** A conditional jump to a position that is known. */
  void jumpTo(int condition, int position) {
    int site = jump(condition);
    patch(site, position);
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
