package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;

/**
 * The arithmetic flags as the integer meanings set and test them, on the lazy form that {@link Cpu}
 * keeps (SDM vol. 1, 3.4.3.1). Sizes are in bits.
 */
public final class Flags {
  private static final long SIGN = Long.MIN_VALUE;

  private Flags() {}

  /** All ones in the low {@code size} bits. */
  public static long mask(int size) {
    return -1L >>> (64 - size);
  }

  /** The low {@code size} bits, sign-extended. */
  public static long extend(long value, int size) {
    return value << (64 - size) >> (64 - size);
  }

  public static int carry(Cpu c) {
    return (int) (c.flagCarry >>> 63);
  }

  public static boolean below(Cpu c) {
    return c.flagCarry < 0;
  }

  public static boolean overflow(Cpu c) {
    return (c.flagCarry ^ (c.flagCarry << 1)) < 0;
  }

  public static boolean zero(Cpu c) {
    return c.flagZero == 0;
  }

  public static boolean sign(Cpu c) {
    return c.flagSign < 0;
  }

  public static boolean parity(Cpu c) {
    return (Long.bitCount(c.flagSign & 0xFF) & 1) == 0;
  }

  public static boolean adjust(Cpu c) {
    return (c.flagAux & 0x10) != 0;
  }

  /** SF, ZF and PF of a result. */
  static void result(Cpu c, long result, int size) {
    long s = extend(result, size);
    c.flagZero = s;
    c.flagSign = s;
  }

  /** CF and OF, both given. */
  static void carryOverflow(Cpu c, boolean carry, boolean overflow) {
    c.flagCarry = (carry ? SIGN : 0) | (carry != overflow ? SIGN >>> 1 : 0);
  }

  static void setCarry(Cpu c, boolean carry) {
    carryOverflow(c, carry, overflow(c));
  }

  static void setZero(Cpu c, boolean zero) {
    c.flagZero = zero ? 0 : 1;
  }

  /** The flags of {@code result = a + b (+ carry)}. */
  static void sum(Cpu c, long a, long b, long result, int size) {
    result(c, result, size);
    c.flagCarry = ((a & b) | ((a | b) & ~result)) << (64 - size);
    c.flagAux = a ^ b ^ result;
  }

  /** The flags of {@code result = a - b (- borrow)}. */
  static void difference(Cpu c, long a, long b, long result, int size) {
    result(c, result, size);
    c.flagCarry = ((~a & b) | ((~a | b) & result)) << (64 - size);
    c.flagAux = a ^ b ^ result;
  }

  /**
   * The flags of AND, OR, XOR and TEST: CF and OF clear; AF, undefined, is cleared as processors
   * do.
   */
  static void logic(Cpu c, long result, int size) {
    result(c, result, size);
    c.flagCarry = 0;
    c.flagAux = 0;
  }

  public static boolean belowOrEqual(Cpu c) {
    return below(c) || zero(c);
  }

  public static boolean less(Cpu c) {
    return (c.flagSign ^ c.flagCarry ^ (c.flagCarry << 1)) < 0;
  }

  public static boolean lessOrEqual(Cpu c) {
    return zero(c) || less(c);
  }

  /** Condition {@code code} (0 to 15) of Jcc, SETcc and CMOVcc (SDM vol. 1, appendix B.1). */
  public static boolean condition(Cpu c, int code) {
    boolean holds =
        switch (code >> 1) {
          case 0 -> overflow(c);
          case 1 -> below(c);
          case 2 -> zero(c);
          case 3 -> below(c) || zero(c);
          case 4 -> sign(c);
          case 5 -> parity(c);
          case 6 -> sign(c) != overflow(c);
          default -> zero(c) || sign(c) != overflow(c);
        };
    return holds != ((code & 1) != 0);
  }
}
