package dev.troupe.runtime.cpu.softfloat;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * The x87 transcendentals (SDM vol. 1, 8.3.7) by {@link StrictMath}'s doubles: finite results are
 * right to about 50 bits of 64, in all of the 80-bit format's range; special operands, exceptions
 * and ranges are as the manual's tables have them (vol. 2A, under the instructions). A result goes
 * to {@link X87Math} as arithmetic's does.
 */
public final class X87Transcendentals {
  /** Angles of this power of two and beyond are left alone (SDM vol. 1, 8.3.8). */
  private static final int GREATEST_ANGLE = 63;

  /** Below this power of two sin x = tan x = x, atan x = x and cos x = 1, in 64 bits. */
  private static final int SMALL = -34;

  /** Powers of two that double arithmetic has room for, with some to spare. */
  private static final int ROOM = 500;

  /** A quotient beyond 2 to this power is one of an axis. */
  private static final int FAR = 66;

  private static final double LN_2 = 0x1.62e42fefa39efp-1;
  private static final double LN_2_REST = 0x1.abc9e3b39803fp-56;
  private static final double PER_LN_2 = 1 / LN_2;
  private static final long ROOT_2 = 0xB504_F333_F9DE_6484L;

  /** Half of pi as x87 reduces by it, of 66 bits (SDM vol. 1, 8.3.8), in units of 2^-131. */
  private static final BigInteger HALF_PI = new BigInteger("C90FDAA22168C234C", 16).shiftLeft(64);

  private static final int UNIT = -131;

  /** In the control word: 64 bits of precision. */
  private static final int ALL_BITS = 0x300;

  private static final long PI = 0xC90F_DAA2_2168_C234L;
  private static final long PI_REST = 0xC4C6_628B_80DC_1CD1L;
  private static final long PI_3 = 0x96CB_E3F9_990E_91A7L;
  private static final long PI_3_REST = 0x9394_C9E8_A0A5_159CL;

  private final X87Math math;

  /** An angle was too large: there is no result, C2 is to be set. */
  public boolean outOfRange;

  /** What FPTAN and FSINCOS push, where there is a result. */
  public int pushedExponent;

  public long pushedSignificand;

  /** Results and flags are {@code math}'s. */
  public X87Transcendentals(X87Math math) {
    this.math = math;
  }

  /** Which of an angle's functions; the two last push a second result. */
  public enum Angle {
    SINE,
    COSINE,
    TANGENT,
    SINE_AND_COSINE
  }

  private static double high(long significand) {
    return (significand >>> 11) * 0x1p-52;
  }

  private static double low(long significand) {
    return (significand & 0x7FF) * 0x1p-63;
  }

  /** The rounded v·2^scale, inexact. */
  private void inexact(double v, int scale) {
    long bits = Double.doubleToRawLongBits(v);
    finish(v < 0 ? 1 : 0, Math.getExponent(v) + scale, 1L << 63 | bits << 11, 1);
  }

  private void finish(int sign, int power, long high, long low) {
    math.soft.sign = sign;
    math.soft.exp = power;
    math.soft.hi = high;
    math.soft.lo = low;
    math.finish(64);
  }

  private void infinity(int sign) {
    math.result(sign << 15 | Extended.SPECIAL, Extended.ONE);
  }

  // Angles.

  /** FSIN, FCOS, FPTAN, FSINCOS. */
  public void angle(Angle function, int e, long s, int controlWord) {
    math.start(controlWord);
    outOfRange = false;
    if (math.notNumbers(e, s, e, s)) {
      pushed(math.exponent, math.significand);
      return;
    }
    if (Extended.isInfinite(e, s)) {
      math.invalid();
      pushed(math.exponent, math.significand);
      return;
    }
    math.denormals(e, s, e, s);
    int power = s == 0 ? Integer.MIN_VALUE : Extended.power(e, s);
    outOfRange = power >= GREATEST_ANGLE;
    if (outOfRange) {
      math.flags = 0;
      return;
    }
    if (math.stopped()) {
      return;
    }
    pushed(Extended.BIAS, Extended.ONE);
    if (s == 0) {
      boolean one = function == Angle.COSINE;
      math.result(one ? Extended.BIAS : e, one ? Extended.ONE : 0);
      return;
    }
    int sign = Extended.sign(e);
    if (power < SMALL) {
      if (function == Angle.COSINE) {
        inexact(1, 0);
      } else {
        finish(sign, power, Extended.normal(s), 1);
      }
      return;
    }
    compute(function, sign, power, Extended.normal(s));
  }

  private void pushed(int e, long s) {
    pushedExponent = e;
    pushedSignificand = s;
  }

  private void compute(Angle function, int sign, int power, long s) {
    double high = Math.scalb(high(s), power);
    double low = Math.scalb(low(s), power);
    int quadrant = 0;
    if (power >= -1) {
      BigInteger units = new BigInteger(Long.toUnsignedString(s)).shiftLeft(power - 63 - UNIT);
      BigInteger[] parts = units.divideAndRemainder(HALF_PI);
      quadrant = parts[0].intValue() & 3;
      BigInteger rest = parts[1];
      if (rest.shiftLeft(1).compareTo(HALF_PI) > 0) {
        rest = rest.subtract(HALF_PI);
        quadrant = quadrant + 1 & 3;
      }
      double whole = rest.doubleValue();
      high = Math.scalb(whole, UNIT);
      low = Math.scalb(rest.subtract(new BigDecimal(whole).toBigInteger()).doubleValue(), UNIT);
    }
    double sine = StrictMath.sin(high) + low * StrictMath.cos(high);
    double cosine = StrictMath.cos(high) - low * StrictMath.sin(high);
    boolean odd = (quadrant & 1) != 0;
    double turnedSine = (odd ? cosine : sine) * (quadrant >= 2 ? -1 : 1) * (sign != 0 ? -1 : 1);
    double turnedCosine = (odd ? sine : cosine) * (quadrant == 1 || quadrant == 2 ? -1 : 1);
    switch (function) {
      case SINE -> inexact(turnedSine, 0);
      case COSINE -> inexact(turnedCosine, 0);
      case TANGENT -> inexact(turnedSine / turnedCosine, 0);
      case SINE_AND_COSINE -> {
        inexact(turnedCosine, 0);
        pushed(math.exponent, math.significand);
        inexact(turnedSine, 0);
      }
    }
  }

  // Powers and logarithms.

  /** F2XM1; an operand outside -1 to 1, whose result the manual leaves open, stays as it is. */
  public void powerLessOne(int e, long s, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(e, s, e, s)) {
      return;
    }
    int sign = Extended.sign(e);
    if (Extended.isInfinite(e, s)) {
      math.result(sign != 0 ? 1 << 15 | Extended.BIAS : e, s);
      return;
    }
    math.denormals(e, s, e, s);
    if (math.stopped()) {
      return;
    }
    int power = s == 0 ? 0 : Extended.power(e, s);
    if (s == 0 || power > 0 || (power == 0 && s != Extended.ONE)) {
      math.result(e, s);
      return;
    }
    double unit = sign != 0 ? -1 : 1;
    double high = unit * high(Extended.normal(s));
    double low = unit * low(Extended.normal(s));
    if (power < -ROOM) {
      inexact(high * LN_2, power);
      return;
    }
    high = Math.scalb(high, power);
    low = Math.scalb(low, power);
    double y = high * LN_2;
    double rest = Math.fma(high, LN_2, -y) + high * LN_2_REST + low * LN_2;
    inexact(StrictMath.expm1(y) + rest * StrictMath.exp(y), 0);
  }

  /** FYL2X: b · log2 a. */
  public void logarithm(int ae, long as, int be, long bs, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(ae, as, be, bs)) {
      return;
    }
    int sign = Extended.sign(be);
    boolean infinite = Extended.isInfinite(be, bs);
    if (as == 0) {
      if (bs == 0) {
        math.invalid();
        return;
      }
      if (!infinite) {
        math.flags |= SoftFloat.ZERO_DIVIDE; // before DENORMAL (SDM vol. 1, 4.9.2)
      }
      infinity(sign ^ 1);
      return;
    }
    boolean one = ae == Extended.BIAS && as == Extended.ONE;
    if (Extended.sign(ae) != 0 || (infinite && one) || (Extended.isInfinite(ae, as) && bs == 0)) {
      math.invalid();
      return;
    }
    math.denormals(ae, as, be, bs);
    if (math.stopped()) {
      return;
    }
    int power = Extended.isInfinite(ae, as) ? Extended.SPECIAL : Extended.power(ae, as);
    int turned = power < 0 ? sign ^ 1 : sign;
    if (infinite || power == Extended.SPECIAL) {
      infinity(turned);
    } else if (bs == 0 || one) {
      math.result((one ? sign : turned) << 15, 0);
    } else if (as << 1 == 0 && Extended.isNormal(ae, as)) { // a power of two: exact, if b has room
      math.fromInteger(power);
      math.multiply(math.exponent, math.significand, be, bs, controlWord | ALL_BITS);
    } else {
      product(logarithm(power, Extended.normal(as)), be, bs);
    }
  }

  private static double logarithm(int power, long s) {
    boolean above = Long.compareUnsigned(s, ROOT_2) > 0; // then halved, and 1 subtracted, exactly
    long fraction = above ? s : s & Long.MAX_VALUE;
    double unit = above ? 0x1p-64 : 0x1p-63;
    double whole = (double) fraction;
    double high = whole * unit;
    double low = (fraction - (long) whole) * unit;
    double natural = StrictMath.log1p(high) + low / (1 + high);
    return natural * PER_LN_2 + (above ? power + 1 : power);
  }

  private void product(double logarithm, int be, long bs) {
    double factor = high(Extended.normal(bs));
    inexact(
        Extended.sign(be) != 0 ? -logarithm * factor : logarithm * factor, Extended.power(be, bs));
  }

  /** FYL2XP1: b · log2 (a + 1). */
  public void logarithmOfOneMore(int ae, long as, int be, long bs, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(ae, as, be, bs)) {
      return;
    }
    int sign = Extended.sign(ae) ^ Extended.sign(be);
    boolean infinite = Extended.isInfinite(be, bs);
    int power =
        Extended.isInfinite(ae, as)
            ? Extended.SPECIAL
            : as == 0 ? Integer.MIN_VALUE : Extended.power(ae, as);
    boolean outside = power >= 0 && Extended.sign(ae) != 0; // a ≤ -1
    if ((infinite && as == 0) || outside || (power == Extended.SPECIAL && bs == 0)) {
      math.invalid();
      return;
    }
    math.denormals(ae, as, be, bs);
    if (math.stopped()) {
      return;
    }
    if (infinite || power == Extended.SPECIAL) {
      infinity(sign);
    } else if (as == 0 || bs == 0) {
      math.result(sign << 15, 0);
    } else {
      long s = Extended.normal(as);
      if (power > FAR) { // the manual leaves this open: as if 1 were nothing
        product(logarithm(power, s), be, bs);
      } else if (power < -FAR) {
        double factor = high(Extended.normal(bs));
        double product = PER_LN_2 * high(s) * factor;
        inexact(sign != 0 ? -product : product, power + Extended.power(be, bs));
      } else {
        double unit = Extended.sign(ae) != 0 ? -1 : 1;
        double high = unit * Math.scalb(high(s), power);
        double low = unit * Math.scalb(low(s), power);
        product((StrictMath.log1p(high) + low / (1 + high)) * PER_LN_2, be, bs);
      }
    }
  }

  // The arc.

  /** FPATAN: the angle of the point with abscissa a and ordinate b. */
  public void arc(int ae, long as, int be, long bs, int controlWord) {
    math.start(controlWord);
    if (math.notNumbers(ae, as, be, bs)) {
      return;
    }
    int sign = Extended.sign(be);
    boolean left = Extended.sign(ae) != 0;
    boolean wide = Extended.isInfinite(ae, as);
    boolean tall = Extended.isInfinite(be, bs);
    math.denormals(ae, as, be, bs);
    if (math.stopped()) {
      return;
    }
    if (wide && tall) {
      if (left) {
        finish(sign, 1, PI_3, PI_3_REST);
      } else {
        finish(sign, -1, PI, PI_REST);
      }
      return;
    }
    if (tall || (as == 0 && bs != 0)) {
      finish(sign, 0, PI, PI_REST);
      return;
    }
    if (wide || bs == 0) {
      axis(sign, left);
      return;
    }
    long a = Extended.normal(as);
    long b = Extended.normal(bs);
    int distance = Extended.power(be, bs) - Extended.power(ae, as);
    if (distance > FAR) {
      finish(sign, 0, PI, PI_REST);
    } else if (distance < -FAR && left) {
      axis(sign, true);
    } else {
      double unit = sign != 0 ? -1 : 1;
      if (distance < -FAR) {
        inexact(unit * high(b) / high(a), distance);
      } else {
        double abscissa = left ? -high(a) : high(a);
        inexact(unit * StrictMath.atan2(Math.scalb(high(b), distance), abscissa), 0);
      }
    }
  }

  private void axis(int sign, boolean left) {
    if (left) {
      finish(sign, 1, PI, PI_REST);
    } else {
      math.result(sign << 15, 0);
    }
  }
}
