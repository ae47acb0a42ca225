package dev.troupe.runtime.cpu.softfloat;

import static dev.troupe.runtime.cpu.softfloat.SoftFloat.DENORMAL;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.INEXACT;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.INVALID;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.OVERFLOW;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.UNDERFLOW;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.ZERO_DIVIDE;

/**
 * SSE arithmetic on single elements with all of MXCSR: rounding control, DAZ, FTZ, all six flags,
 * NaN rules (SDM vol. 1, 11.5 and 4.8.3). The slow and exact way; instructions take it where the
 * fast one does not apply.
 *
 * <p>Elements are the low bits of a long. Operations add to {@link #flags} what they find, and
 * return the masked result; where an exception is unmasked the result does not count.
 */
public final class SseMath {
  /** MXCSR: denormals are zeros, flush to zero. */
  public static final int DAZ = 1 << 6;

  public static final int FTZ = 1 << 15;

  /** Comparison results of {@link #compare}. */
  public static final int LESS = -1;

  public static final int EQUAL = 0;
  public static final int GREATER = 1;
  public static final int UNORDERED = 2;

  private static final int MASKS_SHIFT = 7;
  private static final int ROUNDING_SHIFT = 13;

  /** Exceptions found before the result is computed. */
  private static final int BEFORE = INVALID | DENORMAL | ZERO_DIVIDE;

  private final SoftFloat soft = new SoftFloat();

  /** What has been found since this was last set to 0. */
  public int flags;

  private int mxcsr;
  private int rounding;
  private int trap;

  private void start(int control) {
    mxcsr = control;
    rounding = control >> ROUNDING_SHIFT & 3;
    trap = ~control >> MASKS_SHIFT & 0x3F;
    soft.flags = 0;
  }

  private long flush(Format f, long a) {
    return (mxcsr & DAZ) != 0 && f.exponent(a) == 0 ? a & f.signBit : a;
  }

  private void operands(Format f, long a, long b) {
    if (f.isDenormal(a) || f.isDenormal(b)) {
      flags |= DENORMAL;
    }
  }

  /** Of two operands one of which is a NaN: the first NaN, quiet. */
  private long nan(Format f, long a, long b) {
    if (f.isSignaling(a) || f.isSignaling(b)) {
      flags |= INVALID;
    }
    return (f.isNan(a) ? a : b) | f.quietBit;
  }

  private long invalid(Format f) {
    flags |= INVALID;
    return f.indefinite;
  }

  /** a + b. */
  public long add(Format f, long first, long second, int control) {
    start(control);
    long a = flush(f, first);
    long b = flush(f, second);
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    if (f.isInfinite(a)) {
      if (f.isInfinite(b) && a != b) {
        return invalid(f);
      }
      operands(f, a, b);
      return a;
    }
    operands(f, a, b);
    if (f.isInfinite(b)) {
      return b;
    }
    if (f.isZero(a) && f.isZero(b)) {
      return a == b ? a : rounding == SoftFloat.DOWN ? f.signBit : 0;
    }
    if (f.isZero(a) || f.isZero(b)) {
      // Exact, but a denormal result may be flushed.
      load(f, f.isZero(a) ? b : a);
    } else {
      soft.add(
          f.sign(a),
          f.power(a),
          f.significand(a),
          f.sign(b),
          f.power(b),
          f.significand(b),
          rounding);
    }
    return finish(f);
  }

  /** a - b; a NaN b keeps its sign. */
  public long subtract(Format f, long a, long b, int control) {
    return add(f, a, f.isNan(b) ? b : b ^ f.signBit, control);
  }

  /** a × b. */
  public long multiply(Format f, long first, long second, int control) {
    start(control);
    long a = flush(f, first);
    long b = flush(f, second);
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    long sign = (a ^ b) & f.signBit;
    if (f.isInfinite(a) || f.isInfinite(b)) {
      if (f.isZero(a) || f.isZero(b)) {
        return invalid(f);
      }
      operands(f, a, b);
      return sign | f.infinity;
    }
    operands(f, a, b);
    if (f.isZero(a) || f.isZero(b)) {
      return sign;
    }
    soft.multiply(f.sign(a), f.power(a), f.significand(a), f.sign(b), f.power(b), f.significand(b));
    return finish(f);
  }

  /** a / b. */
  public long divide(Format f, long first, long second, int control) {
    start(control);
    long a = flush(f, first);
    long b = flush(f, second);
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    long sign = (a ^ b) & f.signBit;
    if (f.isInfinite(a)) {
      if (f.isInfinite(b)) {
        return invalid(f);
      }
      operands(f, a, b);
      return sign | f.infinity;
    }
    if (f.isZero(b)) {
      if (f.isZero(a)) {
        return invalid(f);
      }
      flags |= ZERO_DIVIDE;
      return sign | f.infinity;
    }
    operands(f, a, b);
    if (f.isInfinite(b) || f.isZero(a)) {
      return sign;
    }
    soft.divide(f.sign(a), f.power(a), f.significand(a), f.sign(b), f.power(b), f.significand(b));
    return finish(f);
  }

  /** The square root. */
  public long squareRoot(Format f, long first, int control) {
    start(control);
    long a = flush(f, first);
    if (f.isNan(a)) {
      return nan(f, a, a);
    }
    if (f.isZero(a)) {
      return a;
    }
    if (f.sign(a) != 0) {
      return invalid(f);
    }
    operands(f, a, a);
    if (f.isInfinite(a)) {
      return a;
    }
    soft.squareRoot(f.power(a), f.significand(a));
    return finish(f);
  }

  /** The lesser number; the second operand if either is a NaN or both are zeros. */
  public long least(Format f, long a, long b, int control) {
    return compare(f, a, b, control, true) == LESS ? flush(f, a) : flush(f, b);
  }

  /** The greater number; the second operand if either is a NaN or both are zeros. */
  public long greatest(Format f, long a, long b, int control) {
    return compare(f, a, b, control, true) == GREATER ? flush(f, a) : flush(f, b);
  }

  /**
   * Compares.
   *
   * @param signal whether a quiet NaN is invalid, as in COMISS and MINSS, not in UCOMISS
   */
  public int compare(Format f, long first, long second, int control, boolean signal) {
    start(control);
    long a = flush(f, first);
    long b = flush(f, second);
    if (f.isNan(a) || f.isNan(b)) {
      if (signal || f.isSignaling(a) || f.isSignaling(b)) {
        flags |= INVALID;
      }
      return UNORDERED;
    }
    operands(f, a, b);
    return Long.compare(ordinal(f, a), ordinal(f, b));
  }

  /** A number that is ordered as the floating-point value is; both zeros are 0. */
  private static long ordinal(Format f, long a) {
    long magnitude = a & ~f.signBit;
    return (a & f.signBit) != 0 ? -magnitude : magnitude;
  }

  /** To another format. */
  public long convert(Format from, Format to, long first, int control) {
    start(control);
    long a = flush(from, first);
    long sign = from.sign(a) != 0 ? to.signBit : 0;
    if (from.isNan(a)) {
      if (from.isSignaling(a)) {
        flags |= INVALID;
      }
      int shift = to.fraction - from.fraction;
      long payload = a & from.fractionMask;
      return sign
          | to.infinity
          | to.quietBit
          | (shift >= 0 ? payload << shift : payload >>> -shift);
    }
    if (from.isInfinite(a)) {
      return sign | to.infinity;
    }
    if (from.isZero(a)) {
      return sign;
    }
    operands(from, a, a);
    load(from, a);
    return finish(to);
  }

  /** From a signed integer. */
  public long fromInteger(Format f, long value, int control) {
    start(control);
    if (value == 0) {
      return 0;
    }
    soft.sign = value < 0 ? 1 : 0;
    long magnitude = Math.abs(value);
    int n = Long.numberOfLeadingZeros(magnitude);
    soft.exp = 63 - n;
    soft.hi = magnitude << n;
    soft.lo = 0;
    return finish(f);
  }

  /**
   * To a signed integer.
   *
   * @param size 32 or 64 bits; out of it: the least integer, and INVALID
   * @param mode a rounding mode
   */
  public long toInteger(Format f, long first, int size, int mode, int control) {
    start(control);
    long a = flush(f, first);
    long indefinite = size == 32 ? 0x8000_0000L : Long.MIN_VALUE;
    if (f.exponent(a) == f.special) {
      flags |= INVALID;
      return indefinite;
    }
    if (f.isZero(a)) {
      return 0;
    }
    load(f, a);
    long magnitude = soft.toInteger(mode);
    boolean negative = soft.sign != 0;
    long limit =
        negative
            ? size == 32 ? 1L << 31 : Long.MIN_VALUE
            : size == 32 ? (1L << 31) - 1 : Long.MAX_VALUE;
    if (soft.exp > 63 || Long.compareUnsigned(magnitude, limit) > 0) {
      flags |= INVALID;
      return indefinite;
    }
    flags |= soft.flags;
    long value = negative ? -magnitude : magnitude;
    return size == 32 ? value & 0xFFFF_FFFFL : value;
  }

  /** To an integer in the same format (ROUNDSS): {@code quiet} leaves INEXACT out. */
  public long roundToIntegral(Format f, long first, int mode, boolean quiet, int control) {
    start(control);
    long a = flush(f, first);
    if (f.isNan(a)) {
      return nan(f, a, a);
    }
    if (f.isInfinite(a) || f.isZero(a) || f.power(a) >= f.fraction) {
      return a;
    }
    load(f, a);
    long magnitude = soft.toInteger(mode);
    if (!quiet) {
      flags |= soft.flags & INEXACT;
    }
    long sign = a & f.signBit;
    if (magnitude == 0) {
      return sign;
    }
    int n = Long.numberOfLeadingZeros(magnitude);
    return sign
        | (long) (63 - n + f.bias) << f.fraction
        | (magnitude << n >>> (63 - f.fraction) & f.fractionMask);
  }

  private void load(Format f, long a) {
    soft.sign = f.sign(a);
    soft.exp = f.power(a);
    soft.hi = f.significand(a);
    soft.lo = 0;
  }

  /**
   * Rounds and packs what the kernel has computed, unless an exception found before it is unmasked.
   */
  private long finish(Format f) {
    if ((flags & BEFORE & trap) != 0) {
      return 0;
    }
    long sign = soft.sign != 0 ? f.signBit : 0;
    if (soft.hi == 0) {
      return sign;
    }
    soft.round(f.fraction + 1, 1 - f.bias, f.bias, rounding, trap);
    if (soft.tiny && (mxcsr & FTZ) != 0 && (trap & UNDERFLOW) == 0) {
      flags |= UNDERFLOW | INEXACT;
      return sign;
    }
    flags |= soft.flags;
    if (soft.infinite) {
      return sign | f.infinity;
    }
    if ((soft.flags & trap & (OVERFLOW | UNDERFLOW)) != 0) {
      return 0;
    }
    long fraction = soft.hi >>> (63 - f.fraction) & f.fractionMask;
    return soft.hi < 0
        ? sign | (long) (soft.exp + f.bias) << f.fraction | fraction
        : sign | fraction;
  }
}
