package dev.troupe.runtime.engine.interpreter.op;

/**
 * Integer operations on the lanes of 64 bits: bytes, words or doublewords side by side. MMX
 * instructions use them once, SSE ones on both halves. Most work on all lanes at once: {@code H}
 * has the highest bit of each lane, so that carries between lanes can be cut.
 */
final class Lanes {
  static final long BYTES = 0x8080_8080_8080_8080L;
  static final long WORDS = 0x8000_8000_8000_8000L;
  static final long DWORDS = 0x8000_0000_8000_0000L;

  private Lanes() {}

  // h is one of the constants above, w the width of a lane that belongs to it.

  static long add(long a, long b, long h) {
    return ((a & ~h) + (b & ~h)) ^ ((a ^ b) & h);
  }

  static long sub(long a, long b, long h) {
    return ((a | h) - (b & ~h)) ^ ((a ^ ~b) & h);
  }

  /** All ones in each lane whose highest bit is set in {@code m}, which has no others. */
  static long spread(long m, int w) {
    return (m >>> (w - 1)) * (w == 32 ? 0xFFFF_FFFFL : (1L << w) - 1);
  }

  static long equal(long a, long b, long h, int w) {
    long x = a ^ b;
    return spread(~(((x & ~h) + ~h) | x) & h, w);
  }

  static long greaterUnsigned(long a, long b, long h, int w) {
    long d = sub(b, a, h);
    return spread(((~b & a) | (~(b ^ a) & d)) & h, w);
  }

  static long greater(long a, long b, long h, int w) {
    return greaterUnsigned(a ^ h, b ^ h, h, w);
  }

  static long select(long mask, long a, long b) {
    return (a & mask) | (b & ~mask);
  }

  static long max(long a, long b, long h, int w) {
    return select(greater(a, b, h, w), a, b);
  }

  static long min(long a, long b, long h, int w) {
    return select(greater(a, b, h, w), b, a);
  }

  static long maxUnsigned(long a, long b, long h, int w) {
    return select(greaterUnsigned(a, b, h, w), a, b);
  }

  static long minUnsigned(long a, long b, long h, int w) {
    return select(greaterUnsigned(a, b, h, w), b, a);
  }

  static long addSaturatedUnsigned(long a, long b, long h, int w) {
    long s = add(a, b, h);
    return s | spread(((a & b) | ((a | b) & ~s)) & h, w);
  }

  static long subSaturatedUnsigned(long a, long b, long h, int w) {
    long d = sub(a, b, h);
    return d & ~spread(((~a & b) | (~(a ^ b) & d)) & h, w);
  }

  static long addSaturated(long a, long b, long h, int w) {
    long s = add(a, b, h);
    long overflow = spread(~(a ^ b) & (a ^ s) & h, w);
    return select(overflow, limit(a, h, w), s);
  }

  static long subSaturated(long a, long b, long h, int w) {
    long d = sub(a, b, h);
    long overflow = spread((a ^ b) & (a ^ d) & h, w);
    return select(overflow, limit(a, h, w), d);
  }

  /**
   * The greatest number where the lane of {@code a} is positive, the least where it is negative.
   */
  private static long limit(long a, long h, int w) {
    return ~h + ((a & h) >>> (w - 1));
  }

  static long average(long a, long b, long h, int w) {
    long lowest = h >>> (w - 1);
    return (a | b) - (((a ^ b) & ~lowest) >>> 1);
  }

  static long absolute(long a, long h, int w) {
    long negative = spread(a & h, w);
    return sub(a ^ negative, negative, h);
  }

  /** {@code a} negated, zero or itself as the lane of {@code b} is negative, zero or positive. */
  static long sign(long a, long b, long h, int w) {
    long negative = spread(b & h, w);
    return sub(a ^ negative, negative, h) & ~equal(b, 0, h, w);
  }

  // Shifts: counts beyond the lane give zeros, arithmetic ones copies of the sign.

  static long shiftLeftWords(long a, long count) {
    return Long.compareUnsigned(count, 15) > 0
        ? 0
        : (a << count) & 0x0001_0001_0001_0001L * (0xFFFF << count & 0xFFFF);
  }

  static long shiftRightWords(long a, long count) {
    return Long.compareUnsigned(count, 15) > 0
        ? 0
        : (a >>> count) & 0x0001_0001_0001_0001L * (0xFFFF >>> count);
  }

  static long shiftLeftDwords(long a, long count) {
    return Long.compareUnsigned(count, 31) > 0
        ? 0
        : (long) ((int) (a >> 32) << count) << 32 | low((int) a << count);
  }

  static long shiftRightDwords(long a, long count) {
    return Long.compareUnsigned(count, 31) > 0
        ? 0
        : a >>> 32 >>> count << 32 | low((int) a >>> count);
  }

  static long shiftLeftQword(long a, long count) {
    return Long.compareUnsigned(count, 63) > 0 ? 0 : a << count;
  }

  static long shiftRightQword(long a, long count) {
    return Long.compareUnsigned(count, 63) > 0 ? 0 : a >>> count;
  }

  static long shiftArithmeticWords(long a, long count) {
    int n = Long.compareUnsigned(count, 15) > 0 ? 15 : (int) count;
    return words(word(a, 0) >> n, word(a, 1) >> n, word(a, 2) >> n, word(a, 3) >> n);
  }

  static long shiftArithmeticDwords(long a, long count) {
    int n = Long.compareUnsigned(count, 31) > 0 ? 31 : (int) count;
    return dwords((int) a >> n, (int) (a >> 32) >> n);
  }

  // Lanes in and out.

  static long low(int dword) {
    return dword & 0xFFFF_FFFFL;
  }

  static long dwords(int low, int high) {
    return low(low) | (long) high << 32;
  }

  /** Signed word {@code n}. */
  static int word(long a, int n) {
    return (short) (a >> (16 * n));
  }

  static int wordUnsigned(long a, int n) {
    return (int) (a >>> (16 * n)) & 0xFFFF;
  }

  static int byteUnsigned(long a, int n) {
    return (int) (a >>> (8 * n)) & 0xFF;
  }

  static long words(int w0, int w1, int w2, int w3) {
    return (w0 & 0xFFFFL) | (w1 & 0xFFFFL) << 16 | (w2 & 0xFFFFL) << 32 | (long) w3 << 48;
  }

  // Multiplications.

  static long multiplyLow(long a, long b) {
    return words(
        word(a, 0) * word(b, 0),
        word(a, 1) * word(b, 1),
        word(a, 2) * word(b, 2),
        word(a, 3) * word(b, 3));
  }

  static long multiplyHigh(long a, long b) {
    return words(
        (word(a, 0) * word(b, 0)) >> 16,
        (word(a, 1) * word(b, 1)) >> 16,
        (word(a, 2) * word(b, 2)) >> 16,
        (word(a, 3) * word(b, 3)) >> 16);
  }

  static long multiplyHighUnsigned(long a, long b) {
    return words(
        (wordUnsigned(a, 0) * wordUnsigned(b, 0)) >>> 16,
        (wordUnsigned(a, 1) * wordUnsigned(b, 1)) >>> 16,
        (wordUnsigned(a, 2) * wordUnsigned(b, 2)) >>> 16,
        (wordUnsigned(a, 3) * wordUnsigned(b, 3)) >>> 16);
  }

  static long multiplyHighRounded(long a, long b) {
    return words(
        (((word(a, 0) * word(b, 0)) >> 14) + 1) >> 1,
        (((word(a, 1) * word(b, 1)) >> 14) + 1) >> 1,
        (((word(a, 2) * word(b, 2)) >> 14) + 1) >> 1,
        (((word(a, 3) * word(b, 3)) >> 14) + 1) >> 1);
  }

  static long multiplyAdd(long a, long b) {
    return dwords(
        word(a, 0) * word(b, 0) + word(a, 1) * word(b, 1),
        word(a, 2) * word(b, 2) + word(a, 3) * word(b, 3));
  }

  /**
   * PMADDUBSW: unsigned bytes of {@code a} times signed bytes of {@code b}, pairs added with
   * saturation.
   */
  static long multiplyAddBytes(long a, long b) {
    long r = 0;
    for (int i = 0; i < 64; i += 16) {
      int s =
          (int) (a >>> i & 0xFF) * (byte) (b >> i)
              + (int) (a >>> (i + 8) & 0xFF) * (byte) (b >> (i + 8));
      r |= (saturateWord(s) & 0xFFFFL) << i;
    }
    return r;
  }

  static long multiplyLowDwords(long a, long b) {
    return dwords((int) a * (int) b, (int) (a >> 32) * (int) (b >> 32));
  }

  static long sumOfDifferences(long a, long b) {
    long s = 0;
    for (int i = 0; i < 8; i++) {
      s += Math.abs(byteUnsigned(a, i) - byteUnsigned(b, i));
    }
    return s;
  }

  // Horizontal: the two words or dwords of each pair, of one 64-bit source, as its half of a
  // result.

  static long addPairsOfWords(long a, long b) {
    return words(
        word(a, 0) + word(a, 1),
        word(a, 2) + word(a, 3),
        word(b, 0) + word(b, 1),
        word(b, 2) + word(b, 3));
  }

  static long subPairsOfWords(long a, long b) {
    return words(
        word(a, 0) - word(a, 1),
        word(a, 2) - word(a, 3),
        word(b, 0) - word(b, 1),
        word(b, 2) - word(b, 3));
  }

  static long addPairsOfWordsSaturated(long a, long b) {
    return words(
        saturateWord(word(a, 0) + word(a, 1)),
        saturateWord(word(a, 2) + word(a, 3)),
        saturateWord(word(b, 0) + word(b, 1)),
        saturateWord(word(b, 2) + word(b, 3)));
  }

  static long subPairsOfWordsSaturated(long a, long b) {
    return words(
        saturateWord(word(a, 0) - word(a, 1)),
        saturateWord(word(a, 2) - word(a, 3)),
        saturateWord(word(b, 0) - word(b, 1)),
        saturateWord(word(b, 2) - word(b, 3)));
  }

  static long addPairsOfDwords(long a, long b) {
    return dwords((int) a + (int) (a >> 32), (int) b + (int) (b >> 32));
  }

  static long subPairsOfDwords(long a, long b) {
    return dwords((int) a - (int) (a >> 32), (int) b - (int) (b >> 32));
  }

  // Packing and unpacking.

  static int saturateWord(int v) {
    return Math.clamp(v, Short.MIN_VALUE, Short.MAX_VALUE);
  }

  static long packSignedWords(long a, long b) {
    return packSigned(a) | packSigned(b) << 32;
  }

  private static long packSigned(long a) {
    long r = 0;
    for (int i = 3; i >= 0; i--) {
      r = r << 8 | (Math.clamp(word(a, i), Byte.MIN_VALUE, Byte.MAX_VALUE) & 0xFF);
    }
    return r;
  }

  static long packUnsignedWords(long a, long b) {
    return packUnsigned(a) | packUnsigned(b) << 32;
  }

  private static long packUnsigned(long a) {
    long r = 0;
    for (int i = 3; i >= 0; i--) {
      r = r << 8 | Math.clamp(word(a, i), 0, 255);
    }
    return r;
  }

  static long packSignedDwords(long a, long b) {
    return words(
        saturateWord((int) a),
        saturateWord((int) (a >> 32)),
        saturateWord((int) b),
        saturateWord((int) (b >> 32)));
  }

  static long packUnsignedDwords(long a, long b) {
    return words(
        Math.clamp((int) a, 0, 0xFFFF),
        Math.clamp((int) (a >> 32), 0, 0xFFFF),
        Math.clamp((int) b, 0, 0xFFFF),
        Math.clamp((int) (b >> 32), 0, 0xFFFF));
  }

  /** The low four bytes, zero-extended to words. */
  static long widenBytes(long a) {
    long x = a & 0xFFFF_FFFFL;
    x = (x | x << 16) & 0x0000_FFFF_0000_FFFFL;
    return (x | x << 8) & 0x00FF_00FF_00FF_00FFL;
  }

  /** The low two words, zero-extended to dwords. */
  static long widenWords(long a) {
    return (a & 0xFFFFL) | (a & 0xFFFF_0000L) << 16;
  }

  static long interleaveBytes(long a, long b) {
    return widenBytes(a) | widenBytes(b) << 8;
  }

  static long interleaveWords(long a, long b) {
    return widenWords(a) | widenWords(b) << 16;
  }

  static long interleaveDwords(long a, long b) {
    return (a & 0xFFFF_FFFFL) | b << 32;
  }

  static long shuffleWords(long a, int order) {
    return words(
        word(a, order & 3),
        word(a, order >> 2 & 3),
        word(a, order >> 4 & 3),
        word(a, order >> 6 & 3));
  }

  /** One bit of each byte's sign, byte 0's lowest. */
  static int signs(long a) {
    return (int) (((a >>> 7 & 0x0101_0101_0101_0101L) * 0x0102_0408_1020_4080L) >>> 56);
  }
}
