package dev.troupe.runtime.cpu.softfloat;

/**
 * Exact binary floating-point arithmetic and its rounding, for any precision up to 64 bits: the
 * kernel that both the x87 and the SSE instructions use where Java's own arithmetic cannot give the
 * result or the flags.
 *
 * <p>A finite number that is not zero is (-1)^sign × 2^exp × significand / 2^63, the significand's
 * highest bit set ("1.f"). Operations leave the exact result, or one that rounds as the exact one
 * does, in {@link #sign}, {@link #exp}, {@link #hi} and {@link #lo}: {@code lo} continues the
 * significand downward, its lowest bit also stands for all that is below it. {@code hi} is 0 for a
 * zero. Then {@link #round} makes it fit a format. One object a vCPU; nothing is allocated.
 */
public final class SoftFloat {
  // Exception flags, in the places that they have in MXCSR and in the x87 status word.
  public static final int INVALID = 1;
  public static final int DENORMAL = 1 << 1;
  public static final int ZERO_DIVIDE = 1 << 2;
  public static final int OVERFLOW = 1 << 3;
  public static final int UNDERFLOW = 1 << 4;
  public static final int INEXACT = 1 << 5;

  // Rounding control, as in MXCSR and the x87 control word.
  public static final int NEAREST = 0;
  public static final int DOWN = 1;
  public static final int UP = 2;
  public static final int ZERO = 3;

  static final long TOP = 1L << 63;
  private static final long LOW = 0xFFFF_FFFFL;

  /** 0 or 1. */
  int sign;

  int exp;
  long hi;
  long lo;

  /** What {@link #round} found: OVERFLOW, UNDERFLOW, INEXACT, added to what was there. */
  int flags;

  /** Whether {@link #round} went away from zero. */
  boolean roundedUp;

  /**
   * Whether {@link #round} overflowed to infinity; {@link #hi} and {@link #exp} do not count then.
   */
  boolean infinite;

  /**
   * Whether {@link #round} found the result, rounded to the precision alone, below the least normal
   * number.
   */
  boolean tiny;

  /**
   * a + b, both finite and not zero. A sum of exactly zero gets the sign that the rounding mode
   * gives it.
   */
  void add(int signA, int expA, long a, int signB, int expB, long b, int rounding) {
    if (expA < expB || (expA == expB && Long.compareUnsigned(a, b) < 0)) {
      addOrdered(signB, expB, b, signA, expA, a, rounding);
    } else {
      addOrdered(signA, expA, a, signB, expB, b, rounding);
    }
  }

  /** The same where |a| is at least |b|. */
  private void addOrdered(int signA, int expA, long a, int signB, int expB, long b, int rounding) {
    int d = expA - expB;
    long bHi;
    long bLo;
    if (d == 0) {
      bHi = b;
      bLo = 0;
    } else if (d < 64) {
      bHi = b >>> d;
      bLo = b << -d;
    } else {
      bHi = 0;
      bLo = d == 64 ? b : d < 128 ? b >>> d | (b << -d != 0 ? 1 : 0) : 1;
    }
    sign = signA;
    exp = expA;
    if (signA == signB) {
      long sum = a + bHi;
      if (Long.compareUnsigned(sum, a) < 0) {
        hi = sum >>> 1 | TOP;
        lo = sum << 63 | bLo >>> 1 | (bLo & 1);
        exp = expA + 1;
      } else {
        hi = sum;
        lo = bLo;
      }
      return;
    }
    lo = -bLo;
    hi = a - bHi - (bLo != 0 ? 1 : 0);
    if (hi < 0) {
      return;
    }
    normalize(rounding);
  }

  private void normalize(int rounding) {
    if (hi == 0) {
      if (lo == 0) {
        sign = rounding == DOWN ? 1 : 0;
        return;
      }
      hi = lo;
      lo = 0;
      exp -= 64;
    }
    int n = Long.numberOfLeadingZeros(hi);
    if (n != 0) {
      hi = hi << n | lo >>> -n;
      lo <<= n;
      exp -= n;
    }
  }

  /** a × b, both finite and not zero. */
  void multiply(int signA, int expA, long a, int signB, int expB, long b) {
    long high = Math.unsignedMultiplyHigh(a, b);
    long low = a * b;
    sign = signA ^ signB;
    if (high < 0) {
      exp = expA + expB + 1;
      hi = high;
      lo = low;
    } else {
      exp = expA + expB;
      hi = high << 1 | low >>> 63;
      lo = low << 1;
    }
  }

  /** a / b, both finite and not zero. */
  void divide(int signA, int expA, long a, int signB, int expB, long b) {
    sign = signA ^ signB;
    exp = expA - expB;
    long high = a;
    long low = 0;
    if (Long.compareUnsigned(a, b) >= 0) {
      high = a >>> 1;
      low = a << 63;
    } else {
      exp--;
    }
    // high < b, so the quotient has 64 bits, the highest set.
    hi = divide128(high, low, b);
    long rest = remainder;
    // Where the remainder stands against half the divisor is all that rounding wants to know.
    if (rest == 0) {
      lo = 0;
    } else {
      long twice = rest << 1;
      boolean above = rest < 0 || Long.compareUnsigned(twice, b) > 0;
      lo = above ? TOP | 1 : twice == b ? TOP : 1;
    }
  }

  /** Set by {@link #divide128}. */
  long remainder;

  /**
   * (high × 2^64 + low) / d, for high &lt; d and d's highest bit set (Knuth, The Art of Computer
   * Programming, 4.3.1 D, with two digits of 32 bits). The remainder goes to {@link #remainder}.
   */
  long divide128(long high, long low, long d) {
    long d1 = d >>> 32;
    long d0 = d & LOW;
    long q1 = digit(high, low >>> 32, d1, d0);
    long rest = (high << 32 | low >>> 32) - q1 * d;
    long q0 = digit(rest, low & LOW, d1, d0);
    remainder = (rest << 32 | (low & LOW)) - q0 * d;
    return (q1 << 32) + q0;
  }

  private static long digit(long high, long next, long d1, long d0) {
    long q = Long.divideUnsigned(high, d1);
    long r = high - q * d1;
    while (q > LOW || Long.compareUnsigned(q * d0, r << 32 | next) > 0) {
      q--;
      r += d1;
      if (r > LOW) {
        break;
      }
    }
    return q;
  }

  /**
   * The square root of a positive number (Zimmermann, Karatsuba Square Root, two digits of 32
   * bits).
   */
  void squareRoot(int expA, long a) {
    sign = 0;
    exp = expA >> 1;
    // The radicand, 2^126 or more, is high:low.
    long high = (expA & 1) == 0 ? a >>> 1 : a;
    long low = (expA & 1) == 0 ? a << 63 : 0;
    long s = (long) Math.sqrt(high >= 0 ? (double) high : (high >>> 1 | (high & 1)) * 2.0);
    while (s > LOW || Long.compareUnsigned(s * s, high) > 0) {
      s--;
    }
    while (s < LOW && Long.compareUnsigned((s + 1) * (s + 1), high) <= 0) {
      s++;
    }
    long r = high - s * s; // up to 2s, 33 bits
    long half = r << 31 | low >>> 33;
    long q = Long.divideUnsigned(half, s);
    long u = (half - q * s) << 1 | (low >>> 32 & 1);
    // root = s·2^32 + q, remainder = u·2^32 + low's low half - q²
    long hiU = u >>> 32;
    long loU = u << 32 | (low & LOW);
    long hiQ = Math.unsignedMultiplyHigh(q, q);
    long loQ = q * q;
    long restLo = loU - loQ;
    long restHi = hiU - hiQ - (Long.compareUnsigned(loU, loQ) < 0 ? 1 : 0);
    long root = (s << 32) + q;
    if (restHi < 0) {
      // One too many: the remainder grows by 2·root - 1.
      root--;
      long add = root << 1 | 1;
      long sum = restLo + add;
      restHi += (root >>> 63) + (Long.compareUnsigned(sum, add) < 0 ? 1 : 0);
      restLo = sum;
    }
    hi = root;
    // The root of a number of at most 65 bits is never half way between two of 64.
    boolean above = restHi > 0 || Long.compareUnsigned(restLo, root) > 0;
    lo = (restHi | restLo) == 0 ? 0 : above ? TOP | 1 : 1;
  }

  /**
   * Rounds the result to {@code precision} bits and the exponents {@code least} to {@code
   * greatest}; below them it becomes denormal (its highest bit clear, {@link #exp} = least), above
   * infinite or the greatest number. The position that a denormal number is rounded at is the
   * format's lowest.
   *
   * @param trap exceptions that are unmasked: with OVERFLOW or UNDERFLOW among them such a result
   *     keeps its exponent
   */
  void round(int precision, int least, int greatest, int rounding, int trap) {
    infinite = false;
    roundedUp = false;
    tiny = false;
    if (hi == 0) {
      return;
    }
    if (exp >= least) {
      roundBits(precision, rounding);
    } else if (exp == least - 1 && roundsToNextPower(precision, rounding)) {
      roundBits(precision, rounding);
    } else if ((trap & UNDERFLOW) != 0) {
      tiny = true;
      flags |= UNDERFLOW;
      roundBits(precision, rounding);
      return;
    } else {
      tiny = true;
      shiftRight(least - exp);
      exp = least;
      int before = flags;
      flags &= ~INEXACT;
      roundBits(precision, rounding);
      // Masked, underflow is both: tiny and inexact.
      flags |= before | ((flags & INEXACT) != 0 ? UNDERFLOW : 0);
      return;
    }
    if (exp > greatest) {
      overflow(precision, greatest, rounding, trap);
    }
  }

  private void overflow(int precision, int greatest, int rounding, int trap) {
    flags |= OVERFLOW;
    if ((trap & OVERFLOW) != 0) {
      return;
    }
    flags |= INEXACT;
    boolean away = rounding == NEAREST || rounding == (sign == 0 ? UP : DOWN);
    if (away) {
      infinite = true;
      roundedUp = true;
    } else {
      exp = greatest;
      hi = -1L << (64 - precision);
      roundedUp = false;
    }
  }

  /** Whether a significand of all ones (in the precision) would round up to 1.0. */
  private boolean roundsToNextPower(int precision, int rounding) {
    long ones = -1L << (64 - precision);
    if ((hi & ones) != ones) {
      return false;
    }
    long rest = precision == 64 ? lo : hi << precision | (lo != 0 ? 1 : 0);
    return switch (rounding) {
      case NEAREST -> rest < 0; // a tie goes to even, which is up
      case DOWN -> sign != 0 && rest != 0;
      case UP -> sign == 0 && rest != 0;
      default -> false;
    };
  }

  private void shiftRight(int n) {
    if (n < 64) {
      lo = hi << -n | lo >>> n | (lo << -n != 0 ? 1 : 0);
      hi >>>= n;
    } else {
      boolean rest = lo != 0;
      if (n < 128) {
        int k = n - 64;
        rest |= k != 0 && hi << -k != 0;
        lo = hi >>> k | (rest ? 1 : 0);
      } else {
        lo = 1;
      }
      hi = 0;
    }
  }

  /** Cuts hi:lo to its highest {@code precision} bits. */
  private void roundBits(int precision, int rounding) {
    long rest;
    long unit;
    if (precision == 64) {
      rest = lo;
      unit = 1;
    } else {
      rest = hi << precision | (lo != 0 ? 1 : 0);
      unit = 1L << (64 - precision);
      hi &= -unit;
    }
    if (rest == 0) {
      return;
    }
    flags |= INEXACT;
    boolean up =
        switch (rounding) {
          case NEAREST -> rest < 0 && (rest != TOP || (hi & unit) != 0);
          case DOWN -> sign != 0;
          case UP -> sign == 0;
          default -> false;
        };
    roundedUp = up;
    if (up) {
      hi += unit;
      if (hi == 0) {
        hi = TOP;
        exp++;
      }
    }
  }

  /**
   * Rounds the result to an integer; sets INEXACT in {@link #flags}.
   *
   * @return its magnitude, unsigned; for {@link #exp} above 63 it does not count
   */
  long toInteger(int rounding) {
    roundedUp = false;
    if (exp > 63) {
      return hi;
    }
    if (exp < 63) {
      shiftRight(63 - exp);
    }
    long rest = lo;
    long whole = hi;
    if (rest == 0) {
      return whole;
    }
    flags |= INEXACT;
    roundedUp =
        switch (rounding) {
          case NEAREST -> rest < 0 && (rest != TOP || (whole & 1) != 0);
          case DOWN -> sign != 0;
          case UP -> sign == 0;
          default -> false;
        };
    return roundedUp ? whole + 1 : whole;
  }
}
