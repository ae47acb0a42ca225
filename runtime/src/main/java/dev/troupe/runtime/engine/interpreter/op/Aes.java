package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** AES rounds (FIPS 197; SDM vol. 1, 12.13) and carry-less multiplication. */
public final class Aes {
  private static final byte[] SBOX = new byte[256];
  private static final byte[] INVERSE = new byte[256];

  static {
    // FIPS 197, 5.1.1: the inverse in GF(2^8), then an affine map; p runs through the powers of 3,
    // q through their inverses.
    int p = 1;
    int q = 1;
    do {
      p = (p ^ p << 1 ^ ((p & 0x80) != 0 ? 0x1B : 0)) & 0xFF;
      q ^= q << 1;
      q ^= q << 2;
      q ^= q << 4;
      q &= 0xFF;
      if ((q & 0x80) != 0) {
        q ^= 0x09;
      }
      set(p, (q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4) ^ 0x63) & 0xFF);
    } while (p != 1);
    set(0, 0x63);
  }

  private Aes() {}

  private static int rotate(int b, int n) {
    return b << n | b >> (8 - n);
  }

  private static void set(int from, int to) {
    SBOX[from] = (byte) to;
    INVERSE[to] = (byte) from;
  }

  private static int state(Cpu c, int slot, int n) {
    return Lanes.byteUnsigned(c.xmm[2 * slot + (n >> 3)], n & 7);
  }

  /**
   * Bytes 4 × column to 4 × column + 3 after ShiftRows (step 1) or its inverse (step -1) and a
   * substitution.
   */
  private static int column(Cpu c, int slot, int column, int step, byte[] box) {
    int r = 0;
    for (int row = 3; row >= 0; row--) {
      int from = (column + step * row & 3) * 4 + row;
      r = r << 8 | (box[state(c, slot, from)] & 0xFF);
    }
    return r;
  }

  /** Each byte of a column times 2. */
  private static int twice(int x) {
    int high = x & 0x8080_8080;
    return (x ^ high) << 1 ^ (high >>> 7) * 0x1B;
  }

  private static int mix(int x) {
    int right = Integer.rotateRight(x, 8);
    return twice(x ^ right) ^ right ^ Integer.rotateRight(x, 16) ^ Integer.rotateRight(x, 24);
  }

  private static int mixInverse(int x) {
    int four = twice(twice(x ^ Integer.rotateRight(x, 16)));
    return mix(x ^ four);
  }

  private static void round(Cpu c, int to, int from, int step, byte[] box, boolean last) {
    int[] columns = {
      column(c, to, 0, step, box),
      column(c, to, 1, step, box),
      column(c, to, 2, step, box),
      column(c, to, 3, step, box)
    };
    if (!last) {
      for (int n = 0; n < 4; n++) {
        columns[n] = step > 0 ? mix(columns[n]) : mixInverse(columns[n]);
      }
    }
    long low = Lanes.dwords(columns[0], columns[1]) ^ c.xmm[2 * from];
    c.xmm[2 * to + 1] = Lanes.dwords(columns[2], columns[3]) ^ c.xmm[2 * from + 1];
    c.xmm[2 * to] = low;
  }

  @Meaning("AESENC")
  public static void aesenc(Cpu c, int to, int from) {
    round(c, to, from, 1, SBOX, false);
  }

  @Meaning("AESENCLAST")
  public static void aesenclast(Cpu c, int to, int from) {
    round(c, to, from, 1, SBOX, true);
  }

  @Meaning("AESDEC")
  public static void aesdec(Cpu c, int to, int from) {
    round(c, to, from, -1, INVERSE, false);
  }

  @Meaning("AESDECLAST")
  public static void aesdeclast(Cpu c, int to, int from) {
    round(c, to, from, -1, INVERSE, true);
  }

  @Meaning("AESIMC")
  public static void aesimc(Cpu c, int to, int from) {
    long low = c.xmm[2 * from];
    long high = c.xmm[2 * from + 1];
    c.xmm[2 * to] = Lanes.dwords(mixInverse((int) low), mixInverse((int) (low >> 32)));
    c.xmm[2 * to + 1] = Lanes.dwords(mixInverse((int) high), mixInverse((int) (high >> 32)));
  }

  private static int substitute(int word) {
    int r = 0;
    for (int n = 24; n >= 0; n -= 8) {
      r = r << 8 | (SBOX[word >>> n & 0xFF] & 0xFF);
    }
    return r;
  }

  @Meaning("AESKEYGENASSIST")
  public static void aeskeygenassist(Cpu c, int to, int from, int constant) {
    int a = substitute((int) (c.xmm[2 * from] >> 32));
    int b = substitute((int) (c.xmm[2 * from + 1] >> 32));
    c.xmm[2 * to] = Lanes.dwords(a, Integer.rotateRight(a, 8) ^ (constant & 0xFF));
    c.xmm[2 * to + 1] = Lanes.dwords(b, Integer.rotateRight(b, 8) ^ (constant & 0xFF));
  }

  @Meaning("PCLMULQDQ")
  public static void pclmulqdq(Cpu c, int to, int from, int choice) {
    long a = c.xmm[2 * to + (choice & 1)];
    long b = c.xmm[2 * from + (choice >> 4 & 1)];
    long low = 0;
    long high = 0;
    for (int n = 0; n < 64; n++) {
      long mask = -(b >>> n & 1);
      low ^= a << n & mask;
      high ^= n == 0 ? 0 : a >>> (64 - n) & mask;
    }
    c.xmm[2 * to] = low;
    c.xmm[2 * to + 1] = high;
  }
}
