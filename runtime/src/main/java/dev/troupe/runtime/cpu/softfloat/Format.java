package dev.troupe.runtime.cpu.softfloat;

/** An IEEE 754 interchange format that fits a long: how its bits are laid out. */
public enum Format {
  SINGLE(23, 8),
  DOUBLE(52, 11);

  /** Bits of the fraction field. */
  final int fraction;

  final int bias;

  /** The exponent field of infinities and NaNs. */
  final int special;

  final long signBit;
  final long fractionMask;

  /** The bit that tells quiet NaNs. */
  final long quietBit;

  final long infinity;

  /** The default NaN, "real indefinite". */
  final long indefinite;

  Format(int fraction, int exponent) {
    this.fraction = fraction;
    this.bias = (1 << (exponent - 1)) - 1;
    this.special = (1 << exponent) - 1;
    this.signBit = 1L << (fraction + exponent);
    this.fractionMask = (1L << fraction) - 1;
    this.quietBit = 1L << (fraction - 1);
    this.infinity = (long) special << fraction;
    this.indefinite = signBit | infinity | quietBit;
  }

  int exponent(long bits) {
    return (int) (bits >>> fraction) & special;
  }

  boolean isNan(long bits) {
    return (bits & ~signBit) > infinity;
  }

  boolean isSignaling(long bits) {
    return isNan(bits) && (bits & quietBit) == 0;
  }

  boolean isInfinite(long bits) {
    return (bits & ~signBit) == infinity;
  }

  boolean isZero(long bits) {
    return (bits & ~signBit) == 0;
  }

  boolean isDenormal(long bits) {
    return exponent(bits) == 0 && (bits & fractionMask) != 0;
  }

  int sign(long bits) {
    return (bits & signBit) != 0 ? 1 : 0;
  }

  /** Significand with its highest bit in bit 63, of a finite number that is not zero. */
  long significand(long bits) {
    long f = bits & fractionMask;
    return exponent(bits) == 0
        ? f << Long.numberOfLeadingZeros(f)
        : (f | 1L << fraction) << (63 - fraction);
  }

  /** The exponent that belongs to {@link #significand}. */
  int power(long bits) {
    int e = exponent(bits);
    if (e != 0) {
      return e - bias;
    }
    return 1 - bias + 63 - fraction - Long.numberOfLeadingZeros(bits & fractionMask);
  }
}
