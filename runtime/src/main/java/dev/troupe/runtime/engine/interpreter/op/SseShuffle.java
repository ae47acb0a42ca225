package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * Shuffles, blends, widening moves and other packed instructions that mix lanes, SSE to SSE4.1, on
 * XMM slots.
 */
public final class SseShuffle {
  /** The first of the slots that stand for memory operands. */
  private static final int MEMORY = 16;

  private SseShuffle() {}

  private static int dword(Cpu c, int slot, int n) {
    return (int) (c.xmm[2 * slot + (n >> 1)] >> (32 * (n & 1)));
  }

  private static void set(Cpu c, int slot, long low, long high) {
    c.xmm[2 * slot] = low;
    c.xmm[2 * slot + 1] = high;
  }

  @Meaning("PUNPCKLQDQ")
  public static void punpcklqdq(Cpu c, int to, int from) {
    c.xmm[2 * to + 1] = c.xmm[2 * from];
  }

  @Meaning("PUNPCKHQDQ")
  public static void punpckhqdq(Cpu c, int to, int from) {
    set(c, to, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
  }

  @Meaning("PSHUFB")
  public static void pshufb(Cpu c, int to, int from) {
    long low = c.xmm[2 * to];
    long high = c.xmm[2 * to + 1];
    long first = shuffleBytes(low, high, c.xmm[2 * from]);
    set(c, to, first, shuffleBytes(low, high, c.xmm[2 * from + 1]));
  }

  private static long shuffleBytes(long low, long high, long order) {
    long r = 0;
    for (int i = 0; i < 64; i += 8) {
      int n = (int) (order >>> i);
      long b = (n & 8) == 0 ? low : high;
      // n is negative as a byte where a zero is wanted.
      r |= (b >>> (n << 3) & 0xFF & ~((byte) n >> 7)) << i;
    }
    return r;
  }

  @Meaning("PSHUFD")
  public static void pshufd(Cpu c, int to, int from, int order) {
    long low = Lanes.dwords(dword(c, from, order & 3), dword(c, from, order >> 2 & 3));
    set(c, to, low, Lanes.dwords(dword(c, from, order >> 4 & 3), dword(c, from, order >> 6 & 3)));
  }

  @Meaning("PSHUFLW")
  public static void pshuflw(Cpu c, int to, int from, int order) {
    set(c, to, Lanes.shuffleWords(c.xmm[2 * from], order), c.xmm[2 * from + 1]);
  }

  @Meaning("PSHUFHW")
  public static void pshufhw(Cpu c, int to, int from, int order) {
    set(c, to, c.xmm[2 * from], Lanes.shuffleWords(c.xmm[2 * from + 1], order));
  }

  @Meaning("SHUFPS")
  public static void shufps(Cpu c, int to, int from, int order) {
    long low = Lanes.dwords(dword(c, to, order & 3), dword(c, to, order >> 2 & 3));
    set(c, to, low, Lanes.dwords(dword(c, from, order >> 4 & 3), dword(c, from, order >> 6 & 3)));
  }

  @Meaning("SHUFPD")
  public static void shufpd(Cpu c, int to, int from, int order) {
    set(c, to, c.xmm[2 * to + (order & 1)], c.xmm[2 * from + (order >> 1 & 1)]);
  }

  @Meaning("MOVDDUP")
  public static void movddup(Cpu c, int to, int from) {
    set(c, to, c.xmm[2 * from], c.xmm[2 * from]);
  }

  @Meaning("MOVSLDUP")
  public static void movsldup(Cpu c, int to, int from) {
    pshufd(c, to, from, 0b10_10_00_00);
  }

  @Meaning("MOVSHDUP")
  public static void movshdup(Cpu c, int to, int from) {
    pshufd(c, to, from, 0b11_11_01_01);
  }

  @Meaning("PSLLDQ")
  public static void pslldq(Cpu c, Insn i) {
    int count = (int) Math.min(i.immediate & 0xFF, 16);
    shiftRight(c, i.rm, 0, 0, c.xmm[2 * i.rm], c.xmm[2 * i.rm + 1], 16 - count);
  }

  @Meaning("PSRLDQ")
  public static void psrldq(Cpu c, Insn i) {
    shiftRight(c, i.rm, c.xmm[2 * i.rm], c.xmm[2 * i.rm + 1], 0, 0, (int) (i.immediate & 0xFF));
  }

  @Meaning("PALIGNR")
  public static void palignr(Cpu c, int to, int from, int count) {
    shiftRight(
        c,
        to,
        c.xmm[2 * from],
        c.xmm[2 * from + 1],
        c.xmm[2 * to],
        c.xmm[2 * to + 1],
        count & 0xFF);
  }

  /** The 16 bytes from byte {@code count} of the 32 that the quadwords a (lowest) to d make. */
  private static void shiftRight(Cpu c, int to, long a, long b, long x, long y, int count) {
    set(c, to, bytesFrom(a, b, x, y, count), bytesFrom(a, b, x, y, count + 8));
  }

  private static long bytesFrom(long a, long b, long x, long y, int count) {
    int shift = 8 * (count & 7);
    return switch (count >> 3) {
      case 0 -> funnel(a, b, shift);
      case 1 -> funnel(b, x, shift);
      case 2 -> funnel(x, y, shift);
      case 3 -> y >>> shift;
      default -> 0;
    };
  }

  /** Bits from {@code shift} (0 to 63) of the 128 that low and high make. */
  static long funnel(long low, long high, int shift) {
    return shift == 0 ? low : low >>> shift | high << (64 - shift);
  }

  // Blends.

  @Meaning("PBLENDVB")
  public static void pblendvb(Cpu c, int to, int from) {
    blend(
        c,
        to,
        from,
        Lanes.spread(c.xmm[0] & Lanes.BYTES, 8),
        Lanes.spread(c.xmm[1] & Lanes.BYTES, 8));
  }

  @Meaning("BLENDVPS")
  public static void blendvps(Cpu c, int to, int from) {
    blend(
        c,
        to,
        from,
        Lanes.spread(c.xmm[0] & Lanes.DWORDS, 32),
        Lanes.spread(c.xmm[1] & Lanes.DWORDS, 32));
  }

  @Meaning("BLENDVPD")
  public static void blendvpd(Cpu c, int to, int from) {
    blend(c, to, from, c.xmm[0] >> 63, c.xmm[1] >> 63);
  }

  @Meaning("PBLENDW")
  public static void pblendw(Cpu c, int to, int from, int choice) {
    blend(c, to, from, wordMask(choice), wordMask(choice >> 4));
  }

  @Meaning("BLENDPS")
  public static void blendps(Cpu c, int to, int from, int choice) {
    blend(c, to, from, dwordMask(choice), dwordMask(choice >> 2));
  }

  @Meaning("BLENDPD")
  public static void blendpd(Cpu c, int to, int from, int choice) {
    blend(c, to, from, -(choice & 1L), -(choice >> 1 & 1L));
  }

  private static long wordMask(int bits) {
    return Lanes.spread(
        (bits & 1L) << 15 | (bits & 2L) << 30 | (bits & 4L) << 45 | (bits & 8L) << 60, 16);
  }

  private static long dwordMask(int bits) {
    return Lanes.dwords(-(bits & 1), -(bits >> 1 & 1));
  }

  /** Takes the source where the mask has ones. */
  private static void blend(Cpu c, int to, int from, long low, long high) {
    set(
        c,
        to,
        Lanes.select(low, c.xmm[2 * from], c.xmm[2 * to]),
        Lanes.select(high, c.xmm[2 * from + 1], c.xmm[2 * to + 1]));
  }

  @Meaning("INSERTPS")
  public static void insertps(Cpu c, int to, int from, int choice) {
    // A memory operand is one element, whatever the choice says.
    int value = dword(c, from, from >= MEMORY ? 0 : choice >> 6 & 3);
    int place = choice >> 4 & 3;
    long mask = 0xFFFF_FFFFL << (32 * (place & 1));
    int half = 2 * to + (place >> 1);
    c.xmm[half] = (c.xmm[half] & ~mask) | Lanes.low(value) << (32 * (place & 1));
    c.xmm[2 * to] &= ~dwordMask(choice);
    c.xmm[2 * to + 1] &= ~dwordMask(choice >> 2);
  }

  @Meaning("PTEST")
  public static void ptest(Cpu c, int first, int second) {
    long low = c.xmm[2 * first];
    long high = c.xmm[2 * first + 1];
    boolean zero = ((low & c.xmm[2 * second]) | (high & c.xmm[2 * second + 1])) == 0;
    boolean carry = ((~low & c.xmm[2 * second]) | (~high & c.xmm[2 * second + 1])) == 0;
    Rflags.setArithmetic(c, (zero ? Rflags.ZF : 0) | (carry ? Rflags.CF : 0));
  }

  @Meaning("PHMINPOSUW")
  public static void phminposuw(Cpu c, int to, int from) {
    int least = 0x10000;
    int place = 0;
    for (int n = 0; n < 8; n++) {
      int v = Lanes.wordUnsigned(c.xmm[2 * from + (n >> 2)], n & 3);
      if (v < least) {
        least = v;
        place = n;
      }
    }
    set(c, to, least | place << 16, 0);
  }

  @Meaning("MPSADBW")
  public static void mpsadbw(Cpu c, int to, int from, int choice) {
    int block = 32 * (choice & 1);
    long b = c.xmm[2 * from + (choice >> 1 & 1)] >>> block;
    int start = 4 * (choice >> 2 & 1);
    long low = c.xmm[2 * to];
    long high = c.xmm[2 * to + 1];
    long first = 0;
    long second = 0;
    for (int n = 0; n < 8; n++) {
      long a = bytesFrom(low, high, 0, 0, start + n);
      long sum = 0;
      for (int k = 0; k < 4; k++) {
        sum += Math.abs(Lanes.byteUnsigned(a, k) - Lanes.byteUnsigned(b, k));
      }
      if (n < 4) {
        first |= sum << (16 * n);
      } else {
        second |= sum << (16 * (n - 4));
      }
    }
    set(c, to, first, second);
  }
}
