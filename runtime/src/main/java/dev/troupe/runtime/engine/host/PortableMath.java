package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.X87Math;
import dev.troupe.runtime.cpu.softfloat.X87Transcendentals;
import dev.troupe.runtime.cpu.softfloat.X87Transcendentals.Angle;

/**
 * {@link HostMath} for hosts without stubs, the same on all of them. What may differ from an x86
 * host's, and what {@code PortableMathTest} allows:
 *
 * <ul>
 *   <li>A finite result of an x87 transcendental is within 2<sup>-49</sup> of the host's, which has
 *       64 bits. With it go C1, which tells how it was rounded, whether it is seen as exact (PE),
 *       and the overflow and underflow flags at the very edges of the range.
 *   <li>Condition codes that the manual leaves undefined.
 *   <li>Results that the manual leaves open: of F2XM1 and FYL2XP1 outside their ranges (SDM vol.
 *       2A).
 *   <li>The approximations are correctly rounded, where the architecture asks for an error of at
 *       most 1.5 · 2<sup>-12</sup>, so they are within twice that of the host's.
 * </ul>
 *
 * <p>All else is the same: special operands, stack faults, exceptions and their masks, C2.
 */
public final class PortableMath {
  private PortableMath() {}

  /** As {@link HostMath#x87}. */
  public static void x87(X87 x, int opcode) {
    boolean pair =
        opcode == HostMath.FYL2X || opcode == HostMath.FYL2XP1 || opcode == HostMath.FPATAN;
    boolean pushes = opcode == HostMath.FPTAN || opcode == HostMath.FSINCOS;
    boolean angle = pushes || opcode == HostMath.FSIN || opcode == HostMath.FCOS;
    x.status &= angle ? ~(X87.C1 | X87.C2) : ~X87.C1;
    boolean missing = x.isEmpty(0) || (pair && x.isEmpty(1));
    if (missing || (pushes && !x.isEmpty(7))) {
      stackFault(x, missing, pair, pushes);
      return;
    }
    X87Math m = x.math;
    var t = new X87Transcendentals(m);
    compute(x, opcode, t);
    if (t.outOfRange) {
      x.status |= X87.C2;
      return;
    }
    if (m.roundedUp) {
      x.status |= X87.C1;
    }
    x.raise(m.flags);
    if (x.stops(m.flags)) {
      return;
    }
    x.set(pair ? 1 : 0, m.exponent, m.significand);
    if (pair) {
      x.pop();
    } else if (pushes) {
      x.push(t.pushedExponent, t.pushedSignificand);
    }
  }

  private static void compute(X87 x, int opcode, X87Transcendentals t) {
    int ae = x.exponent[x.top];
    long as = x.significand[x.top];
    int be = x.exponent[x.physical(1)];
    long bs = x.significand[x.physical(1)];
    switch (opcode) {
      case HostMath.F2XM1 -> t.powerLessOne(ae, as, x.control);
      case HostMath.FYL2X -> t.logarithm(ae, as, be, bs, x.control);
      case HostMath.FYL2XP1 -> t.logarithmOfOneMore(ae, as, be, bs, x.control);
      case HostMath.FPATAN -> t.arc(ae, as, be, bs, x.control);
      case HostMath.FSIN -> t.angle(Angle.SINE, ae, as, x.control);
      case HostMath.FCOS -> t.angle(Angle.COSINE, ae, as, x.control);
      case HostMath.FPTAN -> t.angle(Angle.TANGENT, ae, as, x.control);
      default -> t.angle(Angle.SINE_AND_COSINE, ae, as, x.control);
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
