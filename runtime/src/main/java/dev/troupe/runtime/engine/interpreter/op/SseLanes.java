package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/**
 * Packed integer instructions of SSE2, SSSE3, SSE4.1 and SSE4.2 that work lane by lane, on XMM
 * slots, but for {@link SseOrder}; and the bitwise ones, which are the same for floating point.
 */
public final class SseLanes {
  private SseLanes() {}

  @Meaning("PADDB")
  public static void paddb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.add(x[t], x[f], Lanes.BYTES);
    x[t + 1] = Lanes.add(x[t + 1], x[f + 1], Lanes.BYTES);
  }

  @Meaning("PADDW")
  public static void paddw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.add(x[t], x[f], Lanes.WORDS);
    x[t + 1] = Lanes.add(x[t + 1], x[f + 1], Lanes.WORDS);
  }

  @Meaning("PADDD")
  public static void paddd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.add(x[t], x[f], Lanes.DWORDS);
    x[t + 1] = Lanes.add(x[t + 1], x[f + 1], Lanes.DWORDS);
  }

  @Meaning("PADDQ")
  public static void paddq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] + x[f];
    x[t + 1] = x[t + 1] + x[f + 1];
  }

  @Meaning("PSUBB")
  public static void psubb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sub(x[t], x[f], Lanes.BYTES);
    x[t + 1] = Lanes.sub(x[t + 1], x[f + 1], Lanes.BYTES);
  }

  @Meaning("PSUBW")
  public static void psubw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sub(x[t], x[f], Lanes.WORDS);
    x[t + 1] = Lanes.sub(x[t + 1], x[f + 1], Lanes.WORDS);
  }

  @Meaning("PSUBD")
  public static void psubd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sub(x[t], x[f], Lanes.DWORDS);
    x[t + 1] = Lanes.sub(x[t + 1], x[f + 1], Lanes.DWORDS);
  }

  @Meaning("PSUBQ")
  public static void psubq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] - x[f];
    x[t + 1] = x[t + 1] - x[f + 1];
  }

  @Meaning("PADDSB")
  public static void paddsb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.addSaturated(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.addSaturated(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PADDSW")
  public static void paddsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.addSaturated(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.addSaturated(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PADDUSB")
  public static void paddusb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.addSaturatedUnsigned(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.addSaturatedUnsigned(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PADDUSW")
  public static void paddusw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.addSaturatedUnsigned(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.addSaturatedUnsigned(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PSUBSB")
  public static void psubsb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.subSaturated(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.subSaturated(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PSUBSW")
  public static void psubsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.subSaturated(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.subSaturated(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PSUBUSB")
  public static void psubusb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.subSaturatedUnsigned(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.subSaturatedUnsigned(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PSUBUSW")
  public static void psubusw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.subSaturatedUnsigned(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.subSaturatedUnsigned(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PAVGB")
  public static void pavgb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.average(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.average(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PAVGW")
  public static void pavgw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.average(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.average(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PMULLW")
  public static void pmullw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyLow(x[t], x[f]);
    x[t + 1] = Lanes.multiplyLow(x[t + 1], x[f + 1]);
  }

  @Meaning("PMULHW")
  public static void pmulhw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyHigh(x[t], x[f]);
    x[t + 1] = Lanes.multiplyHigh(x[t + 1], x[f + 1]);
  }

  @Meaning("PMULHUW")
  public static void pmulhuw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyHighUnsigned(x[t], x[f]);
    x[t + 1] = Lanes.multiplyHighUnsigned(x[t + 1], x[f + 1]);
  }

  @Meaning("PMULUDQ")
  public static void pmuludq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.low((int) x[t]) * Lanes.low((int) x[f]);
    x[t + 1] = Lanes.low((int) x[t + 1]) * Lanes.low((int) x[f + 1]);
  }

  @Meaning("PMADDWD")
  public static void pmaddwd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyAdd(x[t], x[f]);
    x[t + 1] = Lanes.multiplyAdd(x[t + 1], x[f + 1]);
  }

  @Meaning("PSADBW")
  public static void psadbw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sumOfDifferences(x[t], x[f]);
    x[t + 1] = Lanes.sumOfDifferences(x[t + 1], x[f + 1]);
  }

  @Meaning("PAND")
  public static void pand(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] & x[f];
    x[t + 1] = x[t + 1] & x[f + 1];
  }

  @Meaning("PANDN")
  public static void pandn(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = ~x[t] & x[f];
    x[t + 1] = ~x[t + 1] & x[f + 1];
  }

  @Meaning("POR")
  public static void por(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] | x[f];
    x[t + 1] = x[t + 1] | x[f + 1];
  }

  @Meaning("PXOR")
  public static void pxor(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] ^ x[f];
    x[t + 1] = x[t + 1] ^ x[f + 1];
  }

  @Meaning("PMULHRSW")
  public static void pmulhrsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyHighRounded(x[t], x[f]);
    x[t + 1] = Lanes.multiplyHighRounded(x[t + 1], x[f + 1]);
  }

  @Meaning("PMADDUBSW")
  public static void pmaddubsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyAddBytes(x[t], x[f]);
    x[t + 1] = Lanes.multiplyAddBytes(x[t + 1], x[f + 1]);
  }

  @Meaning("PSIGNB")
  public static void psignb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sign(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.sign(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PSIGNW")
  public static void psignw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sign(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.sign(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PSIGND")
  public static void psignd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.sign(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.sign(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PABSB")
  public static void pabsb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.absolute(x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.absolute(x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PABSW")
  public static void pabsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.absolute(x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.absolute(x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PABSD")
  public static void pabsd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.absolute(x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.absolute(x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PMULLD")
  public static void pmulld(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.multiplyLowDwords(x[t], x[f]);
    x[t + 1] = Lanes.multiplyLowDwords(x[t + 1], x[f + 1]);
  }

  @Meaning("PMULDQ")
  public static void pmuldq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = (long) (int) x[t] * (int) x[f];
    x[t + 1] = (long) (int) x[t + 1] * (int) x[f + 1];
  }
}
