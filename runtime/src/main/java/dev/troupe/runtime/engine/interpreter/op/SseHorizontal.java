package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** SSE3's horizontal and alternating arithmetic, and SSE4.1's dot products (SDM vol. 2). */
public final class SseHorizontal {
  private SseHorizontal() {}

  private static int low(long pair) {
    return (int) pair;
  }

  private static int high(long pair) {
    return (int) (pair >> 32);
  }

  @Meaning("HADDPS")
  public static void haddps(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = addWithin(m, c, to);
    long second = addWithin(m, c, from);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  private static long addWithin(SseMath m, Cpu c, int slot) {
    long a = c.xmm[2 * slot];
    long b = c.xmm[2 * slot + 1];
    int first = Floats.add(m, c.mxcsr, low(a), high(a));
    return Lanes.dwords(first, Floats.add(m, c.mxcsr, low(b), high(b)));
  }

  @Meaning("HSUBPS")
  public static void hsubps(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = subWithin(m, c, to);
    long second = subWithin(m, c, from);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  private static long subWithin(SseMath m, Cpu c, int slot) {
    long a = c.xmm[2 * slot];
    long b = c.xmm[2 * slot + 1];
    int first = Floats.sub(m, c.mxcsr, low(a), high(a));
    return Lanes.dwords(first, Floats.sub(m, c.mxcsr, low(b), high(b)));
  }

  @Meaning("HADDPD")
  public static void haddpd(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = Floats.add(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * to + 1]);
    long second = Floats.add(m, c.mxcsr, c.xmm[2 * from], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  @Meaning("HSUBPD")
  public static void hsubpd(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = Floats.sub(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * to + 1]);
    long second = Floats.sub(m, c.mxcsr, c.xmm[2 * from], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  @Meaning("ADDSUBPS")
  public static void addsubps(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = subAdd(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long second = subAdd(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  private static long subAdd(SseMath m, int mxcsr, long a, long b) {
    int first = Floats.sub(m, mxcsr, low(a), low(b));
    return Lanes.dwords(first, Floats.add(m, mxcsr, high(a), high(b)));
  }

  @Meaning("ADDSUBPD")
  public static void addsubpd(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long first = Floats.sub(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]);
    long second = Floats.add(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, first, second);
  }

  // Dot products: multiplications, then sums of pairs; each stage reports its exceptions before the
  // next.

  @Meaning("DPPS")
  public static void dpps(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    long first = products(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from], choice >> 4);
    long second = products(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1], choice >> 6);
    Floats.report(c, m);
    m.flags = 0;
    // The order of the additions differs from element to element: seen only in which of two NaNs
    // comes out. The manual does
    // not say which; this is what Intel's processors do.
    int a = Floats.add(m, c.mxcsr, high(first), low(first));
    int b = Floats.add(m, c.mxcsr, high(second), low(second));
    int aSwapped = Floats.add(m, c.mxcsr, low(first), high(first));
    int bSwapped = Floats.add(m, c.mxcsr, low(second), high(second));
    Floats.report(c, m);
    m.flags = 0;
    int r0 = Floats.add(m, c.mxcsr, a, b);
    int r1 = Floats.add(m, c.mxcsr, aSwapped, bSwapped);
    int r2 = Floats.add(m, c.mxcsr, b, a);
    int r3 = Floats.add(m, c.mxcsr, bSwapped, aSwapped);
    Floats.report(c, m);
    SseArithmetic.set(c, to, place(r0, r1, choice), place(r2, r3, choice >> 2));
  }

  private static long products(SseMath m, int mxcsr, long a, long b, int choice) {
    int first = (choice & 1) != 0 ? Floats.mul(m, mxcsr, low(a), low(b)) : 0;
    return Lanes.dwords(first, (choice & 2) != 0 ? Floats.mul(m, mxcsr, high(a), high(b)) : 0);
  }

  private static long place(int low, int high, int choice) {
    return Lanes.dwords((choice & 1) != 0 ? low : 0, (choice & 2) != 0 ? high : 0);
  }

  @Meaning("DPPD")
  public static void dppd(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    long a = (choice & 0x10) != 0 ? Floats.mul(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from]) : 0;
    long b =
        (choice & 0x20) != 0 ? Floats.mul(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1]) : 0;
    Floats.report(c, m);
    m.flags = 0;
    long sum = Floats.add(m, c.mxcsr, a, b);
    long swapped = Floats.add(m, c.mxcsr, b, a);
    Floats.report(c, m);
    SseArithmetic.set(c, to, (choice & 1) != 0 ? sum : 0, (choice & 2) != 0 ? swapped : 0);
  }
}
