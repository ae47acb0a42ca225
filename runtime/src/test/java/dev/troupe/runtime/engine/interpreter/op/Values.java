package dev.troupe.runtime.engine.interpreter.op;

import java.util.SplittableRandom;

/**
 * Operands that find mistakes: edge values of integers and floating-point numbers of all widths,
 * and random ones.
 */
final class Values {
  private static final int[] SINGLES = {
    0,
    1,
    2,
    0x007F_FFFF,
    0x0080_0000,
    0x0080_0001,
    0x00FF_FFFF,
    0x0100_0000,
    0x3F80_0000,
    0x3F7F_FFFF,
    0x3F80_0001,
    0x3F00_0000,
    0x3FC0_0000,
    0x4000_0000,
    0x4B00_0000,
    0x4B00_0001,
    0x4B7F_FFFF,
    0x4B80_0000,
    0x4AFF_FFFF,
    0x4EFF_FFFF,
    0x4F00_0000,
    0x4F7F_FFFF,
    0x5EFF_FFFF,
    0x5F00_0000,
    0x7F7F_FFFF,
    0x7F00_0000,
    0x7F80_0000,
    0x7F80_0001,
    0x7FBF_FFFF,
    0x7FC0_0000,
    0x7FFF_FFFF,
    0x1F80_0000,
    0x2000_0000,
    0x5F80_0000,
    0x0000_8000
  };

  private static final long[] DOUBLES = {
    0L,
    1L,
    0x000F_FFFF_FFFF_FFFFL,
    0x0010_0000_0000_0000L,
    0x0010_0000_0000_0001L,
    0x0020_0000_0000_0000L,
    0x3FF0_0000_0000_0000L,
    0x3FEF_FFFF_FFFF_FFFFL,
    0x3FF0_0000_0000_0001L,
    0x3FE0_0000_0000_0000L,
    0x3FF8_0000_0000_0000L,
    0x4000_0000_0000_0000L,
    0x41DF_FFFF_FFC0_0000L,
    0x41E0_0000_0000_0000L,
    0x41DF_FFFF_FFE0_0000L,
    0x41DF_FFFF_FFF0_0000L,
    0x43DF_FFFF_FFFF_FFFFL,
    0x43E0_0000_0000_0000L,
    0x4330_0000_0000_0000L,
    0x4330_0000_0000_0001L,
    0x432F_FFFF_FFFF_FFFFL,
    0x7FEF_FFFF_FFFF_FFFFL,
    0x7FE0_0000_0000_0000L,
    0x7FF0_0000_0000_0000L,
    0x7FF0_0000_0000_0001L,
    0x7FF7_FFFF_FFFF_FFFFL,
    0x7FF8_0000_0000_0000L,
    0x7FFF_FFFF_FFFF_FFFFL,
    0x47EF_FFFF_E000_0000L,
    0x47EF_FFFF_F000_0000L,
    0x47EF_FFFF_EFFF_FFFFL,
    0x3810_0000_0000_0000L,
    0x380F_FFFF_FFFF_FFFFL,
    0x36A0_0000_0000_0000L,
    0x3690_0000_0000_0000L,
    0x1FF0_0000_0000_0000L,
    0x3F50_0000_0000_0000L
  };

  private final SplittableRandom random;

  Values(SplittableRandom random) {
    this.random = random;
  }

  int single() {
    int sign = random.nextInt() & 0x8000_0000;
    return switch (random.nextInt(8)) {
      case 0, 1, 2 -> SINGLES[random.nextInt(SINGLES.length)] | sign;
      case 3 -> random.nextInt(1 << 24) | sign; // about denormal
      case 4 -> (random.nextInt() & 0x7F_FFFF) + (random.nextInt(100, 150) << 23) | sign; // about 1
      case 5 ->
          (random.nextInt() & 0x7F_F000) + (random.nextInt(120, 135) << 23)
              | sign; // few bits, exact results
      case 6 -> Float.floatToRawIntBits(random.nextInt(-1000, 1000)) ^ random.nextInt(2);
      default -> random.nextInt();
    };
  }

  long doubles() {
    long sign = random.nextLong() & Long.MIN_VALUE;
    return switch (random.nextInt(9)) {
      case 0, 1, 2 -> DOUBLES[random.nextInt(DOUBLES.length)] | sign;
      case 3 -> random.nextLong(1L << 53) | sign;
      case 4 -> random.nextLong() >>> 12 | random.nextLong(1000, 1080) << 52 | sign;
      case 5 -> (random.nextLong() >>> 12 & ~0xFFFFFFFL) | random.nextLong(1015, 1035) << 52 | sign;
      case 6 -> Double.doubleToRawLongBits(random.nextInt(-1000, 1000)) ^ random.nextInt(2);
      case 7 -> random.nextLong() >>> 12 | random.nextLong(890, 1160) << 52 | sign; // about singles
      default -> random.nextLong();
    };
  }

  private long integers() {
    long r = 0;
    for (int n = 0; n < 8; n++) {
      int b =
          switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 0xFF;
            case 2 -> 0x80;
            case 3 -> 0x7F;
            case 4 -> random.nextInt(3);
            default -> random.nextInt(256);
          };
      r = r << 8 | b;
    }
    return r;
  }

  /** Eight bytes of any kind. */
  long quadword() {
    return switch (random.nextInt(8)) {
      case 0, 1, 2 -> doubles();
      case 3, 4, 5 -> Lanes.dwords(single(), single());
      case 6 -> integers();
      default -> random.nextLong();
    };
  }
}
