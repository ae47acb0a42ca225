package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** Comparisons, minima and maxima of packed integers: SSE2, SSE4.1 and SSE4.2, on XMM slots. */
public final class SseOrder {
  private SseOrder() {}

  @Meaning("PMAXUB")
  public static void pmaxub(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.maxUnsigned(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.maxUnsigned(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PMINUB")
  public static void pminub(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.minUnsigned(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.minUnsigned(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PMAXSW")
  public static void pmaxsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.max(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.max(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PMINSW")
  public static void pminsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.min(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.min(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PCMPEQB")
  public static void pcmpeqb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.equal(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.equal(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PCMPEQW")
  public static void pcmpeqw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.equal(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.equal(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PCMPEQD")
  public static void pcmpeqd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.equal(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.equal(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PCMPGTB")
  public static void pcmpgtb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.greater(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.greater(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PCMPGTW")
  public static void pcmpgtw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.greater(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.greater(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PCMPGTD")
  public static void pcmpgtd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.greater(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.greater(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PMINSB")
  public static void pminsb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.min(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.min(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PMAXSB")
  public static void pmaxsb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.max(x[t], x[f], Lanes.BYTES, 8);
    x[t + 1] = Lanes.max(x[t + 1], x[f + 1], Lanes.BYTES, 8);
  }

  @Meaning("PMINUW")
  public static void pminuw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.minUnsigned(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.minUnsigned(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PMAXUW")
  public static void pmaxuw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.maxUnsigned(x[t], x[f], Lanes.WORDS, 16);
    x[t + 1] = Lanes.maxUnsigned(x[t + 1], x[f + 1], Lanes.WORDS, 16);
  }

  @Meaning("PMINSD")
  public static void pminsd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.min(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.min(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PMAXSD")
  public static void pmaxsd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.max(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.max(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PMINUD")
  public static void pminud(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.minUnsigned(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.minUnsigned(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PMAXUD")
  public static void pmaxud(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = Lanes.maxUnsigned(x[t], x[f], Lanes.DWORDS, 32);
    x[t + 1] = Lanes.maxUnsigned(x[t + 1], x[f + 1], Lanes.DWORDS, 32);
  }

  @Meaning("PCMPEQQ")
  public static void pcmpeqq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] == x[f] ? -1 : 0;
    x[t + 1] = x[t + 1] == x[f + 1] ? -1 : 0;
  }

  @Meaning("PCMPGTQ")
  public static void pcmpgtq(Cpu c, int to, int from) {
    long[] x = c.xmm;
    int t = 2 * to;
    int f = 2 * from;
    x[t] = x[t] > x[f] ? -1 : 0;
    x[t + 1] = x[t + 1] > x[f + 1] ? -1 : 0;
  }
}
