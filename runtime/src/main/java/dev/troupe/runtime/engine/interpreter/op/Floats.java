package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.softfloat.Format;
import dev.troupe.runtime.cpu.softfloat.SoftFloat;
import dev.troupe.runtime.cpu.softfloat.SseMath;

/**
 * SSE arithmetic on single elements, the fast way first: where MXCSR says to round to nearest and
 * masks the inexact exception, and operands and result are normal numbers or zeros, Java's own
 * arithmetic is the instruction's, and inexactness is the only flag to find: not at all if it is
 * set already, else from the rounding error, which is computed exactly (Dekker's two-sum, a fused
 * multiply-add, or double arithmetic on singles). All else is {@link SseMath}'s.
 *
 * <p>Found flags gather in {@code m.flags}; an instruction sets them to 0 first and calls {@link
 * #report} before it writes its result.
 */
final class Floats {
  private static final int INEXACT = SoftFloat.INEXACT;

  /** Rounding control and the inexact exception's mask. */
  private static final int FAST_BITS = 7 << 12;

  private static final int FAST = 1 << 12;

  /** From here up the error of a product, quotient or root of doubles is no denormal. */
  private static final double LEAST = 0x1p-960;

  private static final long CR4_OSXMMEXCPT = 1L << 10;
  private static final int EXCEPTIONS = 0x3F;

  private Floats() {}

  static boolean fast(int mxcsr) {
    return (mxcsr & FAST_BITS) == FAST;
  }

  /**
   * Adds the flags to MXCSR; #XM if one is unmasked (#UD where the system does not handle it), with
   * nothing else changed.
   */
  static void report(Cpu c, SseMath m) {
    if (m.flags != 0) {
      raise(c, m.flags);
    }
  }

  private static void raise(Cpu c, int found) {
    int unmasked = ~(c.mxcsr >> 7) & EXCEPTIONS;
    int before = found & (SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.ZERO_DIVIDE);
    // An unmasked exception of the operands of any element keeps all results from being computed.
    int flags = (before & unmasked) != 0 ? before : found;
    c.mxcsr |= flags;
    if ((flags & unmasked) != 0) {
      throw c.fault((c.cr4 & CR4_OSXMMEXCPT) != 0 ? Fault.XM : Fault.UD);
    }
  }

  private static boolean normal(double v) {
    double m = Math.abs(v);
    return m >= Double.MIN_NORMAL && m <= Double.MAX_VALUE;
  }

  private static boolean plain(double v) {
    return v == 0 || normal(v);
  }

  private static boolean normal(float v) {
    float m = Math.abs(v);
    return m >= Float.MIN_NORMAL && m <= Float.MAX_VALUE;
  }

  private static boolean plain(float v) {
    return v == 0 || normal(v);
  }

  private static double real(long bits) {
    return Double.longBitsToDouble(bits);
  }

  private static long bits(double v) {
    return Double.doubleToRawLongBits(v);
  }

  private static float real(int bits) {
    return Float.intBitsToFloat(bits);
  }

  private static int bits(float v) {
    return Float.floatToRawIntBits(v);
  }

  // A denormal that is zero by value is none of the fast way's: plain() is asked of the bits'
  // value, 0 is a true zero.

  static long add(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = real(b);
    double r = x + y;
    if (fast(mxcsr) && plain(x) && plain(y) && plain(r)) {
      if ((mxcsr & INEXACT) == 0) {
        double t = r - x;
        if ((x - (r - t)) + (y - t) != 0) {
          m.flags |= INEXACT;
        }
      }
      return bits(r);
    }
    return m.add(Format.DOUBLE, a, b, mxcsr);
  }

  static long sub(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = -real(b);
    double r = x + y;
    if (fast(mxcsr) && plain(x) && plain(y) && plain(r)) {
      if ((mxcsr & INEXACT) == 0) {
        double t = r - x;
        if ((x - (r - t)) + (y - t) != 0) {
          m.flags |= INEXACT;
        }
      }
      return bits(r);
    }
    return m.subtract(Format.DOUBLE, a, b, mxcsr);
  }

  static long mul(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = real(b);
    double r = x * y;
    double magnitude = Math.abs(r);
    if (fast(mxcsr) && plain(x) && plain(y)) {
      if (magnitude >= LEAST && magnitude <= Double.MAX_VALUE) {
        if ((mxcsr & INEXACT) == 0 && Math.fma(x, y, -r) != 0) {
          m.flags |= INEXACT;
        }
        return bits(r);
      }
      if (x == 0 || y == 0) {
        return bits(r);
      }
    }
    return m.multiply(Format.DOUBLE, a, b, mxcsr);
  }

  static long div(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = real(b);
    double r = x / y;
    double magnitude = Math.abs(r);
    if (fast(mxcsr)
        && plain(x)
        && normal(y)
        && Math.abs(x) >= LEAST
        && magnitude >= LEAST
        && magnitude <= Double.MAX_VALUE) {
      if ((mxcsr & INEXACT) == 0 && Math.fma(r, y, -x) != 0) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return m.divide(Format.DOUBLE, a, b, mxcsr);
  }

  static long sqrt(SseMath m, int mxcsr, long a) {
    double x = real(a);
    if (fast(mxcsr) && x >= LEAST && x <= Double.MAX_VALUE) {
      double r = Math.sqrt(x);
      if ((mxcsr & INEXACT) == 0 && Math.fma(r, r, -x) != 0) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return m.squareRoot(Format.DOUBLE, a, mxcsr);
  }

  static long min(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = real(b);
    if (plain(x) && plain(y)) {
      return x < y ? a : b;
    }
    return m.least(Format.DOUBLE, a, b, mxcsr);
  }

  static long max(SseMath m, int mxcsr, long a, long b) {
    double x = real(a);
    double y = real(b);
    if (plain(x) && plain(y)) {
      return x > y ? a : b;
    }
    return m.greatest(Format.DOUBLE, a, b, mxcsr);
  }

  /** {@link SseMath#compare}. */
  static int compare(SseMath m, int mxcsr, long a, long b, boolean signal) {
    double x = real(a);
    double y = real(b);
    if (plain(x) && plain(y)) {
      return x < y ? SseMath.LESS : x > y ? SseMath.GREATER : SseMath.EQUAL;
    }
    return m.compare(Format.DOUBLE, a, b, mxcsr, signal);
  }

  // Singles.

  static int add(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = real(b);
    float r = x + y;
    if (fast(mxcsr) && plain(x) && plain(y) && plain(r)) {
      if ((mxcsr & INEXACT) == 0) {
        float t = r - x;
        if ((x - (r - t)) + (y - t) != 0) {
          m.flags |= INEXACT;
        }
      }
      return bits(r);
    }
    return (int) m.add(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  static int sub(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = -real(b);
    float r = x + y;
    if (fast(mxcsr) && plain(x) && plain(y) && plain(r)) {
      if ((mxcsr & INEXACT) == 0) {
        float t = r - x;
        if ((x - (r - t)) + (y - t) != 0) {
          m.flags |= INEXACT;
        }
      }
      return bits(r);
    }
    return (int) m.subtract(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  static int mul(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = real(b);
    if (fast(mxcsr) && plain(x) && plain(y)) {
      double exact = (double) x * y;
      float r = (float) exact;
      float magnitude = Math.abs(r);
      if ((magnitude > Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE) || exact == 0) {
        if (r != exact) {
          m.flags |= INEXACT;
        }
        return bits(r);
      }
    }
    return (int) m.multiply(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  static int div(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = real(b);
    if (fast(mxcsr) && plain(x) && normal(y)) {
      float r = x / y;
      float magnitude = Math.abs(r);
      if ((magnitude > Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE) || x == 0) {
        if ((double) r * y != x) {
          m.flags |= INEXACT;
        }
        return bits(r);
      }
    }
    return (int) m.divide(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  static int sqrt(SseMath m, int mxcsr, int a) {
    float x = real(a);
    if (fast(mxcsr) && x >= Float.MIN_NORMAL && x <= Float.MAX_VALUE) {
      float r = (float) Math.sqrt(x);
      if ((double) r * r != x) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return (int) m.squareRoot(Format.SINGLE, Lanes.low(a), mxcsr);
  }

  static int min(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = real(b);
    if (plain(x) && plain(y)) {
      return x < y ? a : b;
    }
    return (int) m.least(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  static int max(SseMath m, int mxcsr, int a, int b) {
    float x = real(a);
    float y = real(b);
    if (plain(x) && plain(y)) {
      return x > y ? a : b;
    }
    return (int) m.greatest(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr);
  }

  /** {@link SseMath#compare}. */
  static int compare(SseMath m, int mxcsr, int a, int b, boolean signal) {
    float x = real(a);
    float y = real(b);
    if (plain(x) && plain(y)) {
      return x < y ? SseMath.LESS : x > y ? SseMath.GREATER : SseMath.EQUAL;
    }
    return m.compare(Format.SINGLE, Lanes.low(a), Lanes.low(b), mxcsr, signal);
  }

  // Conversions.

  static long toDouble(SseMath m, int mxcsr, int a) {
    float x = real(a);
    return plain(x)
        ? bits((double) x)
        : m.convert(Format.SINGLE, Format.DOUBLE, Lanes.low(a), mxcsr);
  }

  static int toSingle(SseMath m, int mxcsr, long a) {
    double x = real(a);
    float r = (float) x;
    float magnitude = Math.abs(r);
    if (fast(mxcsr) && ((magnitude > Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE) || x == 0)) {
      if (r != x) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return (int) m.convert(Format.DOUBLE, Format.SINGLE, a, mxcsr);
  }

  static long integerToDouble(SseMath m, int mxcsr, long v) {
    return (int) v == v ? bits((double) v) : m.fromInteger(Format.DOUBLE, v, mxcsr);
  }

  static int integerToSingle(SseMath m, int mxcsr, long v) {
    float r = v;
    if (fast(mxcsr) && (int) v == v) {
      if ((double) r != v) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return (int) m.fromInteger(Format.SINGLE, v, mxcsr);
  }

  /**
   * To a signed integer of 32 (zero-extended) or 64 bits.
   *
   * @param mode a rounding mode
   */
  static long toInteger(SseMath m, int mxcsr, long a, int size, int mode) {
    double x = real(a);
    double r =
        mode == SoftFloat.ZERO
            ? (double) (long) x
            : mode == SoftFloat.NEAREST ? Math.rint(x) : Double.NaN;
    double limit = size == 32 ? 0x1p31 : 0x1p63;
    if (r >= -limit && r < limit && x >= -0x1p63 && (x == 0 || Math.abs(x) >= Double.MIN_NORMAL)) {
      if (r != x) {
        m.flags |= INEXACT;
      }
      return size == 32 ? (long) r & 0xFFFF_FFFFL : (long) r;
    }
    return m.toInteger(Format.DOUBLE, a, size, mode, mxcsr);
  }

  /** The same from a single. */
  static long toInteger(SseMath m, int mxcsr, int a, int size, int mode) {
    float x = real(a);
    return plain(x)
        ? toInteger(m, mxcsr, bits((double) x), size, mode)
        : m.toInteger(Format.SINGLE, Lanes.low(a), size, mode, mxcsr);
  }

  static long roundToIntegral(SseMath m, int mxcsr, long a, int mode, boolean quiet) {
    double x = real(a);
    if (mode == SoftFloat.NEAREST && plain(x)) {
      double r = Math.rint(x);
      if (r != x && !quiet) {
        m.flags |= INEXACT;
      }
      return bits(r);
    }
    return m.roundToIntegral(Format.DOUBLE, a, mode, quiet, mxcsr);
  }

  static int roundToIntegral(SseMath m, int mxcsr, int a, int mode, boolean quiet) {
    return (int) m.roundToIntegral(Format.SINGLE, Lanes.low(a), mode, quiet, mxcsr);
  }
}
