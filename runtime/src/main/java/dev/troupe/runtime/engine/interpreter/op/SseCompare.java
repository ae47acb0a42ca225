package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** SSE comparisons and rounding to integral values (SDM vol. 2). */
public final class SseCompare {
  /** CMPxx predicates EQ, LT, LE, UNORD; bit 2 of the immediate negates. */
  private static final int UNORDERED_PREDICATE = 3;

  private SseCompare() {}

  /** LT and LE (and their negations) find quiet NaNs invalid. */
  private static boolean signals(int predicate) {
    return (predicate & 3) == 1 || (predicate & 3) == 2;
  }

  /** -1 where the predicate holds for the comparison's result, else 0. */
  private static long mask(int result, int predicate) {
    boolean holds =
        switch (predicate & 3) {
          case 0 -> result == SseMath.EQUAL;
          case 1 -> result == SseMath.LESS;
          case 2 -> result == SseMath.LESS || result == SseMath.EQUAL;
          case UNORDERED_PREDICATE -> result == SseMath.UNORDERED;
          default -> throw new AssertionError("predicate " + predicate);
        };
    return holds == ((predicate & 4) == 0) ? -1 : 0;
  }

  private static long compare(SseMath m, int mxcsr, long a, long b, int predicate) {
    return mask(Floats.compare(m, mxcsr, a, b, signals(predicate)), predicate);
  }

  private static int compare(SseMath m, int mxcsr, int a, int b, int predicate) {
    return (int) mask(Floats.compare(m, mxcsr, a, b, signals(predicate)), predicate);
  }

  @Meaning("CMPSS")
  public static void cmpss(Cpu c, int to, int from, int predicate) {
    SseMath m = SseArithmetic.start(c);
    int r = compare(m, c.mxcsr, (int) c.xmm[2 * to], (int) c.xmm[2 * from], predicate);
    Floats.report(c, m);
    SseArithmetic.setSingle(c, to, r);
  }

  @Meaning("CMPSD")
  public static void cmpsd(Cpu c, int to, int from, int predicate) {
    SseMath m = SseArithmetic.start(c);
    long r = compare(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from], predicate);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("CMPPS")
  public static void cmpps(Cpu c, int to, int from, int predicate) {
    SseMath m = SseArithmetic.start(c);
    long low = comparePair(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from], predicate);
    long high = comparePair(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1], predicate);
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  private static long comparePair(SseMath m, int mxcsr, long a, long b, int predicate) {
    int low = compare(m, mxcsr, (int) a, (int) b, predicate);
    return Lanes.dwords(low, compare(m, mxcsr, (int) (a >> 32), (int) (b >> 32), predicate));
  }

  @Meaning("CMPPD")
  public static void cmppd(Cpu c, int to, int from, int predicate) {
    SseMath m = SseArithmetic.start(c);
    long low = compare(m, c.mxcsr, c.xmm[2 * to], c.xmm[2 * from], predicate);
    long high = compare(m, c.mxcsr, c.xmm[2 * to + 1], c.xmm[2 * from + 1], predicate);
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  /** ZF, PF and CF as COMISS, UCOMISS, FCOMI and FUCOMI set them; OF, SF and AF are cleared. */
  static void setFlags(Cpu c, int result) {
    Rflags.setArithmetic(
        c,
        switch (result) {
          case SseMath.LESS -> Rflags.CF;
          case SseMath.EQUAL -> Rflags.ZF;
          case SseMath.GREATER -> 0;
          default -> Rflags.ZF | Rflags.PF | Rflags.CF;
        });
  }

  private static void compareSingles(Cpu c, int a, int b, boolean signal) {
    SseMath m = SseArithmetic.start(c);
    int r = Floats.compare(m, c.mxcsr, (int) c.xmm[2 * a], (int) c.xmm[2 * b], signal);
    Floats.report(c, m);
    setFlags(c, r);
  }

  private static void compareDoubles(Cpu c, int a, int b, boolean signal) {
    SseMath m = SseArithmetic.start(c);
    int r = Floats.compare(m, c.mxcsr, c.xmm[2 * a], c.xmm[2 * b], signal);
    Floats.report(c, m);
    setFlags(c, r);
  }

  @Meaning("COMISS")
  public static void comiss(Cpu c, int a, int b) {
    compareSingles(c, a, b, true);
  }

  @Meaning("UCOMISS")
  public static void ucomiss(Cpu c, int a, int b) {
    compareSingles(c, a, b, false);
  }

  @Meaning("COMISD")
  public static void comisd(Cpu c, int a, int b) {
    compareDoubles(c, a, b, true);
  }

  @Meaning("UCOMISD")
  public static void ucomisd(Cpu c, int a, int b) {
    compareDoubles(c, a, b, false);
  }

  // ROUNDxx: bit 2 of the immediate takes MXCSR's rounding mode, bit 3 hides inexactness.

  private static int mode(Cpu c, int choice) {
    return (choice & 4) != 0 ? c.mxcsr >> 13 & 3 : choice & 3;
  }

  private static boolean quiet(int choice) {
    return (choice & 8) != 0;
  }

  @Meaning("ROUNDSS")
  public static void roundss(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    int r =
        Floats.roundToIntegral(m, c.mxcsr, (int) c.xmm[2 * from], mode(c, choice), quiet(choice));
    Floats.report(c, m);
    SseArithmetic.setSingle(c, to, r);
  }

  @Meaning("ROUNDSD")
  public static void roundsd(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    long r = Floats.roundToIntegral(m, c.mxcsr, c.xmm[2 * from], mode(c, choice), quiet(choice));
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("ROUNDPS")
  public static void roundps(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    long low = roundPair(m, c, c.xmm[2 * from], choice);
    long high = roundPair(m, c, c.xmm[2 * from + 1], choice);
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  private static long roundPair(SseMath m, Cpu c, long a, int choice) {
    int low = Floats.roundToIntegral(m, c.mxcsr, (int) a, mode(c, choice), quiet(choice));
    return Lanes.dwords(
        low, Floats.roundToIntegral(m, c.mxcsr, (int) (a >> 32), mode(c, choice), quiet(choice)));
  }

  @Meaning("ROUNDPD")
  public static void roundpd(Cpu c, int to, int from, int choice) {
    SseMath m = SseArithmetic.start(c);
    long low = Floats.roundToIntegral(m, c.mxcsr, c.xmm[2 * from], mode(c, choice), quiet(choice));
    long high =
        Floats.roundToIntegral(m, c.mxcsr, c.xmm[2 * from + 1], mode(c, choice), quiet(choice));
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }
}
