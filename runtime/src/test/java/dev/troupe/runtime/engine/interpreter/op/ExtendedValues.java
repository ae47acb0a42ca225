package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.X87;
import java.util.SplittableRandom;

/**
 * x87 operands that find mistakes: all kinds of 80-bit numbers, alone and in pairs whose results
 * lie at a boundary.
 */
final class ExtendedValues {
  private static final long[] SIGNIFICANDS = {
    1L << 63,
    -1L,
    (1L << 63) + 1,
    -2L,
    0xC000_0000_0000_0000L,
    0x8000_0080_0000_0000L,
    0xFFFF_FF80_0000_0000L,
    0xFFFF_FF00_0000_0000L,
    0x8000_0000_0000_0400L,
    0xFFFF_FFFF_FFFF_FC00L,
    0xFFFF_FFFF_FFFF_F800L,
    0xB504_F333_F9DE_6484L,
    0x8000_0000_0000_0800L,
    0xA000_0000_0000_0000L
  };

  private final SplittableRandom random;
  private final Values values;

  ExtendedValues(SplittableRandom random) {
    this.random = random;
    this.values = new Values(random);
  }

  /** A significand, mostly with the integer bit. */
  long significand() {
    return switch (random.nextInt(8)) {
      case 0, 1 -> SIGNIFICANDS[random.nextInt(SIGNIFICANDS.length)];
      case 2 -> 1L << 63 | random.nextLong() << random.nextInt(63);
      case 3 -> 1L << 63 | 1L << random.nextInt(64) | 1L << random.nextInt(64);
      default -> 1L << 63 | random.nextLong();
    };
  }

  int exponent() {
    int sign = random.nextInt(2) << 15;
    return sign
        | switch (random.nextInt(8)) {
          case 0 -> random.nextInt(4);
          case 1 -> 0x7FFE - random.nextInt(3);
          case 2 -> random.nextInt(0x7FFF);
          case 3 -> 0x3FFF + random.nextInt(-64, 64);
          default -> 0x3FFF + random.nextInt(-8, 70);
        };
  }

  /** Puts a number of any kind into a physical register. */
  private void any(X87 x, int r) {
    int sign = random.nextInt(2) << 15;
    x.significand[r] = significand();
    x.exponent[r] = exponent();
    switch (random.nextInt(24)) {
      case 0 -> set(x, r, sign, 0);
      case 1 -> set(x, r, sign | 0x7FFF, 1L << 63);
      case 2 -> set(x, r, sign | 0x7FFF, 3L << 62 | random.nextLong());
      case 3 -> set(x, r, sign | 0x7FFF, 1L << 63 | random.nextLong() >>> 2 | 1);
      case 4 -> set(x, r, sign, random.nextLong() >>> (1 + random.nextInt(62)));
      case 5 -> set(x, r, sign, 1L << 63 | random.nextLong());
      case 6 -> set(x, r, random.nextInt(0x10000), random.nextLong());
      case 7 -> set(x, r, sign | 0x3FFF, 1L << 63);
      default -> {}
    }
  }

  private static void set(X87 x, int r, int exponent, long significand) {
    x.exponent[r] = exponent;
    x.significand[r] = significand;
  }

  /** Fills the registers; the first two often belong together. */
  void fill(X87 x) {
    for (int r = 0; r < 8; r++) {
      any(x, r);
    }
    int a = x.physical(0);
    int b = x.physical(1 + random.nextInt(7));
    switch (random.nextInt(8)) {
      case 0 ->
          set(x, b, x.exponent[a] ^ random.nextInt(2) << 15, x.significand[a] ^ random.nextInt(2));
      case 1 -> set(x, b, near(x.exponent[a]), x.significand[b] | 1L << 63);
      case 2 -> set(x, b, x.exponent[a] - 0x1FFF & 0xFFFF, x.significand[b] | 1L << 63);
      case 3 ->
          set(
              x,
              b,
              0x3FFF + 0x7FFE - (x.exponent[a] & 0x7FFF) + random.nextInt(-2, 3) & 0x7FFF,
              x.significand[b] | 1L << 63);
      case 4 ->
          set(
              x,
              b,
              0x3FFF - (x.exponent[a] & 0x7FFF) + random.nextInt(-70, 3) & 0x7FFF,
              x.significand[b] | 1L << 63);
      default -> {}
    }
    if (random.nextInt(3) == 0) {
      set(x, x.physical(1), x.exponent[b], x.significand[b]);
    }
  }

  private int near(int exponent) {
    return (exponent + random.nextInt(-70, 70) & 0x7FFF) | random.nextInt(2) << 15;
  }

  long integer() {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt(-10, 11);
      case 1 -> 1L << random.nextInt(64);
      case 2 -> -1L << random.nextInt(64);
      default -> random.nextLong() >> random.nextInt(64);
    };
  }

  /** 16 decimal digits. */
  long decimal() {
    long v = 0;
    for (int n = 0; n < 16; n++) {
      v = v << 4 | random.nextInt(10);
    }
    return v;
  }

  int single(dev.troupe.runtime.cpu.Cpu c) {
    if (random.nextInt(4) == 0) {
      // What ST(0) is as a single, or next to it.
      double v = approximation(c.x87);
      return Float.floatToRawIntBits((float) v) ^ random.nextInt(2);
    }
    return values.single();
  }

  long doubles(dev.troupe.runtime.cpu.Cpu c) {
    if (random.nextInt(4) == 0) {
      return Double.doubleToRawLongBits(approximation(c.x87)) ^ random.nextInt(2);
    }
    return values.doubles();
  }

  private static double approximation(X87 x) {
    return Math.scalb(
        (double) (x.significand[x.top] >>> 11), (x.exponent[x.top] & 0x7FFF) - 0x3FFF - 52);
  }
}
