package dev.troupe.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Seeded register and memory contents, edge values often: where instructions go wrong. */
final class CaseValues {
  private static final long[] EDGES = {
    0,
    1,
    2,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFFL,
    0x8000_0000L,
    0xFFFF_FFFFL,
    0x1_0000_0000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -2
  };

  private static final int[] FLOATS = {
    0,
    0x8000_0000,
    0x3F80_0000,
    0xBF80_0000,
    0x7F80_0000,
    0xFF80_0000,
    0x7FC0_0000,
    0xFFC0_1234,
    0x7F80_0001,
    0xFFA0_0000,
    1,
    0x8000_0001,
    0x007F_FFFF,
    0x0080_0000,
    0x7F7F_FFFF,
    0xFF7F_FFFF,
    0x4F00_0000,
    0xCF00_0000,
    0x5F00_0000,
    0x3F00_0000,
    0x3FC0_0000,
    0x4020_0000
  };

  private static final long[] DOUBLES = {
    0,
    Long.MIN_VALUE,
    0x3FF0_0000_0000_0000L,
    0xBFF0_0000_0000_0000L,
    0x7FF0_0000_0000_0000L,
    0xFFF0_0000_0000_0000L,
    0x7FF8_0000_0000_0000L,
    0xFFF8_0000_0000_1234L,
    0x7FF0_0000_0000_0001L,
    0xFFF4_0000_0000_0000L,
    1,
    0x800F_FFFF_FFFF_FFFFL,
    0x0010_0000_0000_0000L,
    0x7FEF_FFFF_FFFF_FFFFL,
    0x41E0_0000_0000_0000L,
    0xC1E0_0000_0020_0000L,
    0x43E0_0000_0000_0000L,
    0x36A0_0000_0000_0000L,
    0x47EF_FFFF_E000_0000L,
    0x3FE0_0000_0000_0000L,
    0x4004_0000_0000_0000L
  };

  private static final int[] EXPONENTS = {
    0, 1, 0x3FFE, 0x3FFF, 0x4000, 0x401E, 0x403E, 0x7FFE, 0x7FFF
  };

  private final SplittableRandom random;

  CaseValues(SplittableRandom random) {
    this.random = random;
  }

  /** One time in {@code n}. */
  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  long bits() {
    return random.nextLong();
  }

  /** An integer: an edge, near an edge, small, or any. */
  long integer() {
    return switch (random.nextInt(6)) {
      case 0, 1 -> EDGES[random.nextInt(EDGES.length)];
      case 2 -> EDGES[random.nextInt(EDGES.length)] + random.nextInt(-2, 3);
      case 3 -> random.nextInt(-300, 300);
      case 4 -> random.nextLong() >>> random.nextInt(64);
      default -> random.nextLong();
    };
  }

  /** A quadword that is at the same time a likely float, double or integer. */
  long quadword() {
    return switch (random.nextInt(5)) {
      case 0 -> (long) single() << 32 | (single() & 0xFFFF_FFFFL);
      case 1 -> DOUBLES[random.nextInt(DOUBLES.length)];
      case 2 ->
          Double.doubleToRawLongBits(
              random.nextDouble(-4, 4) * Math.pow(2, random.nextInt(-70, 70)));
      case 3 -> integer();
      default -> random.nextLong();
    };
  }

  private int single() {
    return switch (random.nextInt(3)) {
      case 0 -> FLOATS[random.nextInt(FLOATS.length)];
      case 1 ->
          Float.floatToRawIntBits(
              (float) (random.nextDouble(-4, 4) * Math.pow(2, random.nextInt(-40, 40))));
      default -> random.nextInt();
    };
  }

  void fill(byte[] bytes) {
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (b.remaining() >= 16) {
      if (oneIn(5)) {
        extended(b);
        b.position(b.position() + 6);
      } else {
        b.putLong(quadword()).putLong(quadword());
      }
    }
  }

  /** An 80-bit real: 10 bytes. */
  private void extended(ByteBuffer b) {
    long significand = oneIn(3) ? integer() : random.nextLong();
    int exponent =
        switch (random.nextInt(3)) {
          case 0 -> EXPONENTS[random.nextInt(EXPONENTS.length)];
          case 1 -> 0x3FFF + random.nextInt(-70, 70);
          default -> random.nextInt(0x8000);
        };
    boolean normal = exponent != 0 && !oneIn(30);
    b.putLong(normal ? significand | Long.MIN_VALUE : significand);
    b.putShort((short) (exponent | random.nextInt(2) << 15));
  }

  /** FXSAVE image: masked exceptions and no pending ones mostly. */
  void floatingPoint(byte[] fx) {
    ByteBuffer b = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    int control =
        0x40
            | random.nextInt(4) << 10
            | (oneIn(2) ? 3 : new int[] {0, 2, 3}[random.nextInt(3)]) << 8;
    control |= oneIn(12) ? random.nextInt(64) : 0x3F;
    int status = random.nextInt(8) << 11 | (random.nextInt() & 0x4700);
    if (oneIn(4)) {
      status |= random.nextInt(64) & control; // sticky, all of them masked
    }
    b.putShort(0, (short) control).putShort(2, (short) status);
    int tags = oneIn(3) ? random.nextInt(256) : oneIn(4) ? 0 : 0xFF;
    b.put(4, (byte) tags);
    int mxcsr = random.nextInt(4) << 13 | (oneIn(4) ? 0x8000 : 0) | (oneIn(4) ? 0x40 : 0);
    mxcsr |= (oneIn(12) ? random.nextInt(64) << 7 : 0x1F80) | (oneIn(3) ? random.nextInt(64) : 0);
    b.putInt(24, mxcsr);
    for (int i = 0; i < 8; i++) {
      b.position(32 + 16 * i);
      extended(b);
    }
    b.position(160);
    for (int i = 0; i < 32; i++) {
      b.putLong(quadword());
    }
  }
}
