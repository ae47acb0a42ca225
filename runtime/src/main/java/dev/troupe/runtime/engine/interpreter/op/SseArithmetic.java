package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.engine.interpreter.Meaning;

/**
 * SSE arithmetic on singles and doubles, scalar and packed (SDM vol. 2; exceptions: vol. 1, 11.5).
 */
public final class SseArithmetic {
  private SseArithmetic() {}

  static SseMath start(Cpu c) {
    SseMath m = c.sse;
    m.flags = 0;
    return m;
  }

  static void set(Cpu c, int slot, long low, long high) {
    c.xmm[2 * slot] = low;
    c.xmm[2 * slot + 1] = high;
  }

  static void setSingle(Cpu c, int slot, int value) {
    c.xmm[2 * slot] = (c.xmm[2 * slot] & 0xFFFF_FFFF_0000_0000L) | Lanes.low(value);
  }

  @Meaning("ADDSS")
  public static void addss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.add(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("ADDSD")
  public static void addsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.add(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("ADDPS")
  public static void addps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = addPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = addPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long addPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.add(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.add(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("ADDPD")
  public static void addpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.add(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.add(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("SUBSS")
  public static void subss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.sub(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("SUBSD")
  public static void subsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.sub(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("SUBPS")
  public static void subps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = subPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = subPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long subPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.sub(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.sub(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("SUBPD")
  public static void subpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.sub(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.sub(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("MULSS")
  public static void mulss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.mul(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("MULSD")
  public static void mulsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.mul(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("MULPS")
  public static void mulps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = mulPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = mulPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long mulPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.mul(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.mul(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("MULPD")
  public static void mulpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.mul(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.mul(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("DIVSS")
  public static void divss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.div(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("DIVSD")
  public static void divsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.div(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("DIVPS")
  public static void divps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = divPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = divPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long divPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.div(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.div(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("DIVPD")
  public static void divpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.div(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.div(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("MINSS")
  public static void minss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.min(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("MINSD")
  public static void minsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.min(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("MINPS")
  public static void minps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = minPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = minPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long minPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.min(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.min(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("MINPD")
  public static void minpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.min(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.min(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("MAXSS")
  public static void maxss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.max(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("MAXSD")
  public static void maxsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.max(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("MAXPS")
  public static void maxps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = maxPair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = maxPair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  static long maxPair(SseMath m, int mxcsr, long a, long b) {
    int low = Floats.max(m, mxcsr, (int) a, (int) b);
    return Lanes.dwords(low, Floats.max(m, mxcsr, (int) (a >> 32), (int) (b >> 32)));
  }

  @Meaning("MAXPD")
  public static void maxpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.max(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long high = Floats.max(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("SQRTSS")
  public static void sqrtss(Cpu c, int to, int from) {
    SseMath m = start(c);
    int r = Floats.sqrt(m, c.mxcsr, (int) c.xmm[2 * from]);
    Floats.report(c, m);
    setSingle(c, to, r);
  }

  @Meaning("SQRTSD")
  public static void sqrtsd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long r = Floats.sqrt(m, c.mxcsr, c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("SQRTPD")
  public static void sqrtpd(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = Floats.sqrt(m, c.mxcsr, c.xmm[2 * from]);
    long high = Floats.sqrt(m, c.mxcsr, c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  @Meaning("SQRTPS")
  public static void sqrtps(Cpu c, int to, int from) {
    SseMath m = start(c);
    long low = sqrtPair(m, c.mxcsr, c.xmm[2 * from]);
    long high = sqrtPair(m, c.mxcsr, c.xmm[2 * from + 1]);
    Floats.report(c, m);
    set(c, to, low, high);
  }

  private static long sqrtPair(SseMath m, int mxcsr, long a) {
    int low = Floats.sqrt(m, mxcsr, (int) a);
    return Lanes.dwords(low, Floats.sqrt(m, mxcsr, (int) (a >> 32)));
  }
}
