package dev.troupe.runtime.cpu.softfloat;

import static dev.troupe.runtime.cpu.softfloat.SoftFloat.INVALID;
import static dev.troupe.runtime.cpu.softfloat.SoftFloat.ZERO_DIVIDE;

/**
 * The exact x87 functions beyond arithmetic: FPREM, FPREM1, FSCALE, FXTRACT, packed decimals (SDM
 * vol. 1, 8.3.6 and 8.3.8).
 */
public final class X87Functions {
  /** The greatest packed decimal: 18 digits. */
  private static final long GREATEST_DECIMAL = 999_999_999_999_999_999L;

  /** FSCALE's factors beyond this over- or underflow every number, wrapped or not. */
  private static final int GREATEST_SCALE = 1 << 17;

  private final X87Math math;

  /** FPREM: the low bits of the quotient. */
  public int quotient;

  /** FPREM: whether the reduction is complete. */
  public boolean complete;

  /**
   * FPREM: whether there is a quotient at all: not of NaNs or invalid operands, which leave C0 and
   * C3 as they are.
   */
  public boolean reduced;

  /** FXTRACT: the exponent part; the significand part is the operation's result. */
  public int exponentExponent;

  public long exponentSignificand;

  /** Results and flags are {@code math}'s. */
  public X87Functions(X87Math math) {
    this.math = math;
  }

  /**
   * The remainder of a / b, or a step towards it.
   *
   * @param nearest quotient to nearest (FPREM1), else chopped (FPREM)
   */
  public void remainder(int ae, long as, int be, long bs, boolean nearest, int controlWord) {
    math.start(controlWord);
    quotient = 0;
    complete = true;
    reduced = false;
    if (math.notNumbers(ae, as, be, bs)) {
      return;
    }
    if (Extended.isInfinite(ae, as) || bs == 0) {
      math.invalid();
      return;
    }
    math.denormals(ae, as, be, bs);
    if (math.stopped()) {
      return;
    }
    reduced = true;
    if (as == 0) {
      math.result(ae, 0);
      return;
    }
    if (Extended.isInfinite(be, bs)) {
      // Itself; but a pseudo-denormal becomes the normal number that it is.
      math.result(as < 0 && (ae & Extended.SPECIAL) == 0 ? ae | 1 : ae, as);
      return;
    }
    reduce(ae, as, be, bs, nearest);
  }

  private void reduce(int ae, long as, int be, long bs, boolean nearest) {
    SoftFloat soft = math.soft;
    int powerA = Extended.power(ae, as);
    int powerB = Extended.power(be, bs);
    long a = Extended.normal(as);
    long b = Extended.normal(bs);
    int distance = powerA - powerB;
    soft.sign = Extended.sign(ae);
    soft.lo = 0;
    if (distance < (nearest ? -1 : 0)) {
      soft.exp = powerA;
      soft.hi = a;
      math.finish(64);
      return;
    }
    if (distance < 0) {
      // FPREM1 with a in [b/2, b) or so: 2a against b, at a's scale b is 2b.
      soft.exp = powerA;
      if (Long.compareUnsigned(a, b) > 0) {
        // b·2 - a, below 2^64 since a > b.
        soft.hi = (b << 1) - a;
        soft.sign ^= 1;
        quotient = 1;
      } else {
        soft.hi = a;
      }
      normalizeAndFinish();
      return;
    }
    // Far apart, a step takes 32 to 63 bits off, as Intel's processors do.
    int bits = distance < 64 ? distance : (distance & 31) | 32;
    complete = distance < 64;
    long q = Long.compareUnsigned(a, b) >= 0 ? 1 : 0;
    long rest = a - (q != 0 ? b : 0);
    if (bits > 0) {
      q = q << bits | soft.divide128(rest >>> -bits, rest << bits, b);
      rest = soft.remainder;
    }
    soft.exp = powerA - bits;
    if (complete) {
      quotient = (int) q & 7;
      boolean above = rest < 0 || Long.compareUnsigned(rest << 1, b) > 0;
      if (nearest && (above || (rest << 1 == b && (q & 1) != 0))) {
        rest = b - rest;
        soft.sign ^= 1;
        quotient = (int) (q + 1) & 7;
      }
    }
    soft.hi = rest;
    normalizeAndFinish();
  }

  private void normalizeAndFinish() {
    SoftFloat soft = math.soft;
    if (soft.hi != 0) {
      int n = Long.numberOfLeadingZeros(soft.hi);
      soft.hi <<= n;
      soft.exp -= n;
    }
    math.finish(64);
  }

  /** a × 2^b, b chopped to an integer. */
  public void scale(int ae, long as, int be, long bs, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(ae, as, be, bs)) {
      return;
    }
    boolean aInfinite = Extended.isInfinite(ae, as);
    if (Extended.isInfinite(be, bs)) {
      boolean down = (be & Extended.SIGN) != 0;
      if (down ? aInfinite : as == 0) {
        math.invalid();
        return;
      }
      math.denormals(ae, as, be, bs);
      int sign = ae & Extended.SIGN;
      math.result(down ? sign : sign | Extended.SPECIAL, down ? 0 : Extended.ONE);
      return;
    }
    math.denormals(ae, as, be, bs);
    if (aInfinite || as == 0) {
      math.result(ae, as);
      return;
    }
    math.load(ae, as);
    math.soft.exp += chopped(be, bs);
    math.finish(64);
  }

  private static int chopped(int be, long bs) {
    if (bs == 0) {
      return 0;
    }
    int power = Extended.power(be, bs);
    if (power < 0) {
      return 0;
    }
    int magnitude = power > 16 ? GREATEST_SCALE : (int) (Extended.normal(bs) >>> (63 - power));
    return (be & Extended.SIGN) != 0 ? -magnitude : magnitude;
  }

  /** Exponent and significand. */
  public void extract(int ae, long as, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(ae, as, ae, as)) {
      exponentExponent = math.exponent;
      exponentSignificand = math.significand;
      return;
    }
    if (as == 0) {
      math.flags |= ZERO_DIVIDE;
      exponentExponent = Extended.SIGN | Extended.SPECIAL;
      exponentSignificand = Extended.ONE;
      math.result(ae, 0);
      return;
    }
    if (Extended.isInfinite(ae, as)) {
      exponentExponent = Extended.SPECIAL;
      exponentSignificand = Extended.ONE;
      math.result(ae, as);
      return;
    }
    math.denormals(ae, as, ae, as);
    int flags = math.flags;
    math.fromInteger(Extended.power(ae, as));
    math.flags = flags;
    exponentExponent = math.exponent;
    exponentSignificand = math.significand;
    math.result((ae & Extended.SIGN) | Extended.BIAS, Extended.normal(as));
  }

  /**
   * To a packed decimal's magnitude, by the rounding control.
   *
   * @return 0 to 10^18 - 1, or -1 with INVALID
   */
  public long toDecimal(int ae, long as, int controlWord) {
    long v = math.toInteger(ae, as, 64, X87Math.rounding(controlWord), controlWord);
    if (v > GREATEST_DECIMAL || v < -GREATEST_DECIMAL || (math.flags & INVALID) != 0) {
      math.flags = INVALID;
      math.roundedUp = false;
      return -1;
    }
    return Math.abs(v);
  }
}
