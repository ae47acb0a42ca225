package dev.troupe.runtime.cpu.softfloat;

/**
 * The kinds of x87 80-bit numbers (SDM vol. 1, tables 4-3 and 8-3). A number is two words: sign and
 * biased exponent (bit 15 and 14 to 0), and the significand with its explicit integer bit.
 */
public final class Extended {
  public static final int BIAS = 16383;

  /** The exponent field of infinities and NaNs, and its mask. */
  public static final int SPECIAL = 0x7FFF;

  public static final int SIGN = 0x8000;

  /** The significand of infinities and of powers of two. */
  public static final long ONE = 1L << 63;

  static final long QUIET = 1L << 62;

  /** Exponents, unbiased, of normal numbers. */
  static final int LEAST = 1 - BIAS;

  static final int GREATEST = BIAS;

  /** What the exponent of an unmasked overflow or underflow is moved by (SDM vol. 1, 8.5.4). */
  static final int WRAP = 24576;

  private Extended() {}

  public static boolean isNormal(int exponent, long significand) {
    return significand < 0 && (exponent & SPECIAL) - 1 < SPECIAL - 1 && (exponent & SPECIAL) != 0;
  }

  /** Unnormals, pseudo-infinities and pseudo-NaNs: the integer bit is 0 where it must be 1. */
  public static boolean isUnsupported(int exponent, long significand) {
    return significand >= 0 && (exponent & SPECIAL) != 0;
  }

  public static boolean isNan(int exponent, long significand) {
    return (exponent & SPECIAL) == SPECIAL && significand << 1 != 0 && significand < 0;
  }

  public static boolean isSignaling(int exponent, long significand) {
    return isNan(exponent, significand) && (significand & QUIET) == 0;
  }

  public static boolean isInfinite(int exponent, long significand) {
    return (exponent & SPECIAL) == SPECIAL && significand == ONE;
  }

  public static boolean isZero(int exponent, long significand) {
    return (exponent & SPECIAL) == 0 && significand == 0;
  }

  /** Denormals, pseudo-denormals (integer bit 1) among them. */
  public static boolean isDenormal(int exponent, long significand) {
    return (exponent & SPECIAL) == 0 && significand != 0;
  }

  static int sign(int exponent) {
    return exponent >> 15 & 1;
  }

  /** The unbiased exponent of a finite number's normalized significand. */
  static int power(int exponent, long significand) {
    int e = exponent & SPECIAL;
    return e != 0 ? e - BIAS : LEAST - Long.numberOfLeadingZeros(significand);
  }

  /** The significand with its highest bit set, of a finite number that is not zero. */
  static long normal(long significand) {
    return significand << Long.numberOfLeadingZeros(significand);
  }
}
