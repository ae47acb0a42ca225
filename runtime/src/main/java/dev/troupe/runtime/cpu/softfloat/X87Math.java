package dev.troupe.runtime.cpu.softfloat;

import static dev.troupe.runtime.cpu.softfloat.SoftFloat.DENORMAL;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.INEXACT;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.INVALID;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.OVERFLOW;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.UNDERFLOW;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.ZERO_DIVIDE;

/**
 * x87 arithmetic on 80-bit numbers, all of the control word's: precision, rounding, masked and
 * unmasked responses (SDM vol. 1, chapters 4.8, 4.9 and 8.5). Operations set {@link #flags} and
 * {@link #roundedUp}, and leave their result in {@link #exponent} and {@link #significand}; with an
 * unmasked INVALID, DENORMAL or ZERO_DIVIDE there is none.
 */
public final class X87Math {
  /** Sign and exponent, and significand, of the result. */
  public int exponent;

  public long significand;

  /** The exceptions of the last operation. */
  public int flags;

  /** C1 of an inexact result. */
  public boolean roundedUp;

  /**
   * DENORMAL where a memory operand was one before its conversion; add it before an operation,
   * which takes it.
   */
  public int operandFlags;

  final SoftFloat soft = new SoftFloat();
  int control;

  void start(int controlWord) {
    control = controlWord;
    flags = 0;
    roundedUp = false;
    soft.flags = 0;
  }

  private int takeOperandFlags() {
    int f = operandFlags;
    operandFlags = 0;
    return f;
  }

  static int rounding(int control) {
    return control >> 10 & 3;
  }

  /** Bits of precision that the control word asks for; the reserved value means 64. */
  private static int precision(int control) {
    return switch (control >> 8 & 3) {
      case 0 -> 24;
      case 2 -> 53;
      default -> 64;
    };
  }

  /** True if an exception among those found so far is unmasked: then there is no result. */
  boolean stopped() {
    return (flags & ~control & (INVALID | DENORMAL | ZERO_DIVIDE)) != 0;
  }

  void result(int e, long s) {
    exponent = e;
    significand = s;
  }

  void invalid() {
    flags |= INVALID;
    result(0xFFFF, Extended.ONE | Extended.QUIET);
  }

  /** Finds DENORMAL operands. */
  void denormals(int ae, long as, int be, long bs) {
    if (Extended.isDenormal(ae, as) || Extended.isDenormal(be, bs)) {
      flags |= DENORMAL;
    }
    flags |= takeOperandFlags();
  }

  /** Handles unsupported operands and NaNs; true if that was the operation. */
  boolean notNumbers(int ae, long as, int be, long bs) {
    if (Extended.isUnsupported(ae, as) || Extended.isUnsupported(be, bs)) {
      takeOperandFlags();
      invalid();
      return true;
    }
    boolean aNan = Extended.isNan(ae, as);
    boolean bNan = Extended.isNan(be, bs);
    if (!aNan && !bNan) {
      return false;
    }
    takeOperandFlags();
    boolean aSignals = aNan && (as & Extended.QUIET) == 0;
    boolean bSignals = bNan && (bs & Extended.QUIET) == 0;
    if (aSignals || bSignals) {
      flags |= INVALID;
    }
    boolean first;
    if (!aNan || !bNan) {
      first = aNan;
    } else if (aSignals != bSignals) {
      first = bSignals;
    } else {
      // The larger significand; of equal ones, the positive.
      int order = Long.compareUnsigned(as, bs);
      first = order > 0 || (order == 0 && ae <= be);
    }
    if (first) {
      result(ae, as | Extended.QUIET);
    } else {
      result(be, bs | Extended.QUIET);
    }
    return true;
  }

  /** Rounds and packs the kernel's result. */
  void finish(int precision) {
    if (stopped()) {
      return;
    }
    int sign = soft.sign << 15;
    if (soft.hi == 0) {
      result(sign, 0);
      return;
    }
    int trap = ~control & (OVERFLOW | UNDERFLOW);
    if (soft.exp > Extended.GREATEST + Extended.WRAP && (trap & OVERFLOW) != 0) {
      // Only FSCALE gets this far: wrapping does not help.
      flags |= OVERFLOW | INEXACT;
      roundedUp = true;
      result(sign | Extended.SPECIAL, Extended.ONE);
      return;
    }
    if (soft.exp < Extended.LEAST - Extended.WRAP && (trap & UNDERFLOW) != 0) {
      flags |= UNDERFLOW | INEXACT;
      result(sign, 0);
      return;
    }
    soft.round(precision, Extended.LEAST, Extended.GREATEST, rounding(control), trap);
    flags |= soft.flags;
    roundedUp = soft.roundedUp;
    if (soft.infinite) {
      result(sign | Extended.SPECIAL, Extended.ONE);
      return;
    }
    int e = soft.exp;
    if ((soft.flags & trap) != 0) {
      e += (soft.flags & OVERFLOW) != 0 ? -Extended.WRAP : Extended.WRAP;
    }
    result(sign | (soft.hi < 0 ? e + Extended.BIAS : 0), soft.hi);
  }

  /** a + b. */
  public void add(int ae, long as, int be, long bs, int controlWord) {
    start(controlWord);
    if (Extended.isNormal(ae, as) && Extended.isNormal(be, bs)) {
      flags |= takeOperandFlags();
      addFinite(ae, as, be, bs);
      return;
    }
    if (notNumbers(ae, as, be, bs)) {
      return;
    }
    boolean aInfinite = Extended.isInfinite(ae, as);
    if (aInfinite && Extended.isInfinite(be, bs) && ae != be) {
      takeOperandFlags();
      invalid();
      return;
    }
    denormals(ae, as, be, bs);
    if (aInfinite) {
      result(ae, as);
    } else if (Extended.isInfinite(be, bs)) {
      result(be, bs);
    } else if (as == 0 && bs == 0) {
      result(ae == be ? ae : rounding(control) == SoftFloat.DOWN ? Extended.SIGN : 0, 0);
    } else if (as == 0 || bs == 0) {
      int e = as == 0 ? be : ae;
      long s = as == 0 ? bs : as;
      load(e, s);
      finish(precision(control));
    } else {
      addFinite(ae, as, be, bs);
    }
  }

  private void addFinite(int ae, long as, int be, long bs) {
    soft.add(
        Extended.sign(ae),
        Extended.power(ae, as),
        Extended.normal(as),
        Extended.sign(be),
        Extended.power(be, bs),
        Extended.normal(bs),
        rounding(control));
    finish(precision(control));
  }

  /** a - b; a NaN b keeps its sign. */
  public void subtract(int ae, long as, int be, long bs, int controlWord) {
    add(ae, as, Extended.isNan(be, bs) ? be : be ^ Extended.SIGN, bs, controlWord);
  }

  /** a × b. */
  public void multiply(int ae, long as, int be, long bs, int controlWord) {
    start(controlWord);
    if (!Extended.isNormal(ae, as) || !Extended.isNormal(be, bs)) {
      if (notNumbers(ae, as, be, bs)) {
        return;
      }
      int sign = (ae ^ be) & Extended.SIGN;
      boolean zero = as == 0 || bs == 0;
      boolean infinite = Extended.isInfinite(ae, as) || Extended.isInfinite(be, bs);
      if (zero && infinite) {
        takeOperandFlags();
        invalid();
        return;
      }
      denormals(ae, as, be, bs);
      if (zero || infinite) {
        result(zero ? sign : sign | Extended.SPECIAL, zero ? 0 : Extended.ONE);
        return;
      }
    } else {
      flags |= takeOperandFlags();
    }
    soft.multiply(
        Extended.sign(ae),
        Extended.power(ae, as),
        Extended.normal(as),
        Extended.sign(be),
        Extended.power(be, bs),
        Extended.normal(bs));
    finish(precision(control));
  }

  /** a / b. */
  public void divide(int ae, long as, int be, long bs, int controlWord) {
    start(controlWord);
    if (!Extended.isNormal(ae, as) || !Extended.isNormal(be, bs)) {
      if (notNumbers(ae, as, be, bs)) {
        return;
      }
      int sign = (ae ^ be) & Extended.SIGN;
      boolean aInfinite = Extended.isInfinite(ae, as);
      boolean bInfinite = Extended.isInfinite(be, bs);
      if ((aInfinite && bInfinite) || (as == 0 && bs == 0)) {
        takeOperandFlags();
        invalid();
        return;
      }
      if (bs == 0 && !aInfinite) {
        takeOperandFlags();
        flags |= ZERO_DIVIDE;
        result(sign | Extended.SPECIAL, Extended.ONE);
        return;
      }
      denormals(ae, as, be, bs);
      if (aInfinite) {
        result(sign | Extended.SPECIAL, Extended.ONE);
        return;
      }
      if (bInfinite || as == 0) {
        result(sign, 0);
        return;
      }
    } else {
      flags |= takeOperandFlags();
    }
    soft.divide(
        Extended.sign(ae),
        Extended.power(ae, as),
        Extended.normal(as),
        Extended.sign(be),
        Extended.power(be, bs),
        Extended.normal(bs));
    finish(precision(control));
  }

  /** The square root. */
  public void squareRoot(int ae, long as, int controlWord) {
    start(controlWord);
    if (notNumbers(ae, as, ae, as)) {
      return;
    }
    if (as == 0) {
      result(ae, 0);
      return;
    }
    if ((ae & Extended.SIGN) != 0) {
      invalid();
      return;
    }
    denormals(ae, as, ae, as);
    if (Extended.isInfinite(ae, as)) {
      result(ae, as);
      return;
    }
    soft.squareRoot(Extended.power(ae, as), Extended.normal(as));
    finish(precision(control));
  }

  /**
   * Compares: {@link SseMath#LESS} and so on.
   *
   * @param signal whether a quiet NaN is invalid, as in FCOM, not in FUCOM
   */
  public int compare(int ae, long as, int be, long bs, boolean signal, int controlWord) {
    start(controlWord);
    if (Extended.isUnsupported(ae, as) || Extended.isUnsupported(be, bs)) {
      takeOperandFlags();
      flags |= INVALID;
      return SseMath.UNORDERED;
    }
    if (Extended.isNan(ae, as) || Extended.isNan(be, bs)) {
      takeOperandFlags();
      if (signal || Extended.isSignaling(ae, as) || Extended.isSignaling(be, bs)) {
        flags |= INVALID;
      }
      return SseMath.UNORDERED;
    }
    denormals(ae, as, be, bs);
    if (as == 0 && bs == 0) {
      return SseMath.EQUAL;
    }
    if (((ae ^ be) & Extended.SIGN) != 0) {
      return (ae & Extended.SIGN) != 0 ? SseMath.LESS : SseMath.GREATER;
    }
    int a =
        Math.max(
            ae & Extended.SPECIAL,
            1); // a pseudo-denormal's exponent is that of the least normal number
    int b = Math.max(be & Extended.SPECIAL, 1);
    int order = a != b ? Integer.compare(a, b) : Long.compareUnsigned(as, bs);
    return Integer.signum((ae & Extended.SIGN) != 0 ? -order : order);
  }

  void load(int ae, long as) {
    soft.sign = Extended.sign(ae);
    soft.exp = Extended.power(ae, as);
    soft.hi = Extended.normal(as);
    soft.lo = 0;
  }

  /** The number as FRNDINT makes it: an integer, by the rounding control. */
  public void roundToIntegral(int ae, long as, int controlWord) {
    start(controlWord);
    if (notNumbers(ae, as, ae, as)) {
      return;
    }
    denormals(ae, as, ae, as);
    result(ae, as);
    if (as == 0 || Extended.isInfinite(ae, as) || Extended.power(ae, as) >= 63 || stopped()) {
      return;
    }
    load(ae, as);
    long magnitude = soft.toInteger(rounding(control));
    flags |= soft.flags;
    roundedUp = soft.roundedUp;
    int sign = ae & Extended.SIGN;
    if (magnitude == 0) {
      result(sign, 0);
      return;
    }
    int n = Long.numberOfLeadingZeros(magnitude);
    result(sign | 63 - n + Extended.BIAS, magnitude << n);
  }

  // Conversions.

  /**
   * From a single or double; {@link #flags} DENORMAL and INVALID as FLD finds them, a signaling NaN
   * stays one.
   */
  public void from(Format f, long bits) {
    flags = 0;
    roundedUp = false;
    int sign = f.sign(bits) << 15;
    if (f.exponent(bits) == f.special) {
      long fraction = bits & f.fractionMask;
      result(sign | Extended.SPECIAL, Extended.ONE | fraction << (63 - f.fraction));
      flags = f.isSignaling(bits) ? INVALID : 0;
    } else if (f.isZero(bits)) {
      result(sign, 0);
    } else {
      flags = f.exponent(bits) == 0 ? DENORMAL : 0;
      result(sign | f.power(bits) + Extended.BIAS, f.significand(bits));
    }
  }

  /** From a signed integer, exact. */
  public void fromInteger(long v) {
    flags = 0;
    roundedUp = false;
    if (v == 0) {
      result(0, 0);
      return;
    }
    long magnitude = Math.abs(v);
    int n = Long.numberOfLeadingZeros(magnitude);
    result((v < 0 ? Extended.SIGN : 0) | 63 - n + Extended.BIAS, magnitude << n);
  }

  /** To a single or double. With an unmasked OVERFLOW or UNDERFLOW there is no result. */
  public long to(Format f, int ae, long as, int controlWord) {
    start(controlWord);
    long sign = (ae & Extended.SIGN) != 0 ? f.signBit : 0;
    if (Extended.isUnsupported(ae, as)) {
      flags |= INVALID;
      return f.indefinite;
    }
    if (Extended.isNan(ae, as)) {
      if ((as & Extended.QUIET) == 0) {
        flags |= INVALID;
      }
      return sign | f.infinity | f.quietBit | (as >>> (63 - f.fraction) & f.fractionMask);
    }
    if (Extended.isInfinite(ae, as)) {
      return sign | f.infinity;
    }
    if (as == 0) {
      return sign;
    }
    load(ae, as);
    int trap = ~control & (OVERFLOW | UNDERFLOW);
    soft.round(f.fraction + 1, 1 - f.bias, f.bias, rounding(control), trap);
    flags |= soft.flags;
    roundedUp = soft.roundedUp;
    if (soft.infinite) {
      return sign | f.infinity;
    }
    long fraction = soft.hi >>> (63 - f.fraction) & f.fractionMask;
    return soft.hi < 0
        ? sign | (long) (soft.exp + f.bias) << f.fraction | fraction
        : sign | fraction;
  }

  /**
   * To a signed integer.
   *
   * @param size 16, 32 or 64 bits; out of it: the least integer, and INVALID
   * @param mode a rounding mode
   */
  public long toInteger(int ae, long as, int size, int mode, int controlWord) {
    start(controlWord);
    long least = -1L << (size - 1);
    if ((ae & Extended.SPECIAL) == Extended.SPECIAL || Extended.isUnsupported(ae, as)) {
      flags |= INVALID;
      return least;
    }
    if (as == 0) {
      return 0;
    }
    load(ae, as);
    long magnitude = soft.toInteger(mode);
    boolean negative = soft.sign != 0;
    // As unsigned numbers the limits are 2^(size-1) and one less.
    long limit = negative ? 1L << (size - 1) : (1L << (size - 1)) - 1;
    if (soft.exp > 63 || Long.compareUnsigned(magnitude, limit) > 0) {
      flags |= INVALID;
      return least;
    }
    flags |= soft.flags;
    roundedUp = soft.roundedUp;
    return negative ? -magnitude : magnitude;
  }

  /** The rounding mode that a control word asks for. */
  public static int roundingMode(int controlWord) {
    return rounding(controlWord);
  }
}
