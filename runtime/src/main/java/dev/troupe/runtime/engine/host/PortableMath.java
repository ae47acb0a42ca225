package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.Extended;
import dev.troupe.runtime.cpu.softfloat.Format;
import dev.troupe.runtime.cpu.softfloat.X87Math;

/**
 * {@link HostMath} for hosts without stubs: x87 transcendentals by way of {@link StrictMath}'s
 * doubles, so right to about 53 bits instead of 64 and the same on all such hosts; numbers that no
 * double holds saturate. Approximations are correctly rounded to singles, better than the 12 bits
 * that the architecture asks for. All exceptions are taken as masked.
 */
public final class PortableMath {
  /** FSIN and its kin leave larger operands alone and set C2. */
  private static final double GREATEST_ANGLE = 0x1p63;

  private PortableMath() {}

  /** As {@link HostMath#x87}. */
  public static void x87(X87 x, int opcode) {
    x.status &= ~(X87.C1 | X87.C2);
    boolean pair =
        opcode == HostMath.FYL2X || opcode == HostMath.FYL2XP1 || opcode == HostMath.FPATAN;
    boolean pushes = opcode == HostMath.FPTAN || opcode == HostMath.FSINCOS;
    boolean missing = x.isEmpty(0) || (pair && x.isEmpty(1));
    if (missing || (pushes && !x.isEmpty(7))) {
      stackFault(x, missing, pair, pushes);
      return;
    }
    double a = toDouble(x, 0);
    switch (opcode) {
      case HostMath.F2XM1 -> set(x, 0, StrictMath.expm1(a * StrictMath.log(2)));
      case HostMath.FYL2X ->
          replacePair(x, toDouble(x, 1) * (StrictMath.log(a) / StrictMath.log(2)));
      case HostMath.FYL2XP1 ->
          replacePair(x, toDouble(x, 1) * (StrictMath.log1p(a) / StrictMath.log(2)));
      case HostMath.FPATAN -> replacePair(x, StrictMath.atan2(toDouble(x, 1), a));
      default -> angle(x, opcode, a);
    }
  }

  private static void stackFault(X87 x, boolean missing, boolean pair, boolean pushes) {
    if (!(missing ? x.underflow() : x.overflow())) {
      return;
    }
    x.set(pair ? 1 : 0, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
    if (pair) {
      x.pop();
    } else if (pushes) {
      x.push(X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
    }
  }

  private static void angle(X87 x, int opcode, double a) {
    if (Math.abs(a) >= GREATEST_ANGLE && !Double.isInfinite(a)) {
      x.status |= X87.C2;
      return;
    }
    switch (opcode) {
      case HostMath.FSIN -> set(x, 0, StrictMath.sin(a));
      case HostMath.FCOS -> set(x, 0, StrictMath.cos(a));
      case HostMath.FSINCOS -> {
        set(x, 0, StrictMath.sin(a));
        push(x, StrictMath.cos(a));
      }
      default -> {
        set(x, 0, StrictMath.tan(a));
        push(x, Double.isNaN(a) || Double.isInfinite(a) ? Double.NaN : 1);
      }
    }
  }

  private static void replacePair(X87 x, double result) {
    set(x, 1, result);
    x.pop();
  }

  private static double toDouble(X87 x, int i) {
    int r = x.physical(i);
    if (Extended.isSignaling(x.exponent[r], x.significand[r])
        || Extended.isUnsupported(x.exponent[r], x.significand[r])) {
      x.raise(X87.IE);
    }
    return Double.longBitsToDouble(
        x.math.to(Format.DOUBLE, x.exponent[r], x.significand[r], X87.INITIAL_CONTROL));
  }

  private static void set(X87 x, int i, double v) {
    X87Math m = x.math;
    if (Double.isNaN(v)
        && !Extended.isNan(x.exponent[x.physical(i)], x.significand[x.physical(i)])) {
      x.raise(X87.IE);
      x.set(i, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      return;
    }
    m.from(Format.DOUBLE, Double.doubleToRawLongBits(v));
    x.raise(X87.PE);
    x.set(i, m.exponent, m.significand);
  }

  private static void push(X87 x, double v) {
    x.math.from(Format.DOUBLE, Double.doubleToRawLongBits(v));
    x.push(x.math.exponent, x.math.significand);
  }

  /**
   * The reciprocal of a single, or of its square root, as RCPSS and RSQRTSS treat denormals and
   * NaNs.
   */
  public static int approximation(int opcode, int bits) {
    float v = Float.intBitsToFloat(bits);
    if (Float.isNaN(v)) {
      return bits | 0x0040_0000;
    }
    int sign = bits & 0x8000_0000;
    boolean zero = Math.abs(v) < Float.MIN_NORMAL;
    if (zero) {
      return sign | 0x7F80_0000;
    }
    if (opcode == HostMath.RSQRTPS) {
      return sign != 0 ? 0xFFC0_0000 : Float.floatToRawIntBits((float) (1 / Math.sqrt(v)));
    }
    float r = (float) (1.0 / v);
    return Math.abs(r) < Float.MIN_NORMAL ? sign : Float.floatToRawIntBits(r);
  }
}
