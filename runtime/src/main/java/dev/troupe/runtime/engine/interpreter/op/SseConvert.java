package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.softfloat.SoftFloat;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * SSE conversions among singles, doubles and integers, XMM, MMX and general registers (SDM vol. 2).
 */
public final class SseConvert {
  private SseConvert() {}

  private static int rounding(Cpu c) {
    return c.mxcsr >> 13 & 3;
  }

  // Between singles and doubles.

  @Meaning("CVTSS2SD")
  public static void cvtss2sd(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long r = Floats.toDouble(m, c.mxcsr, (int) c.xmm[2 * from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("CVTSD2SS")
  public static void cvtsd2ss(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    int r = Floats.toSingle(m, c.mxcsr, c.xmm[2 * from]);
    Floats.report(c, m);
    SseArithmetic.setSingle(c, to, r);
  }

  @Meaning("CVTPS2PD")
  public static void cvtps2pd(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long a = c.xmm[2 * from];
    long low = Floats.toDouble(m, c.mxcsr, (int) a);
    long high = Floats.toDouble(m, c.mxcsr, (int) (a >> 32));
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  @Meaning("CVTPD2PS")
  public static void cvtpd2ps(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    int low = Floats.toSingle(m, c.mxcsr, c.xmm[2 * from]);
    int high = Floats.toSingle(m, c.mxcsr, c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, Lanes.dwords(low, high), 0);
  }

  // From integers.

  private static long singles(SseMath m, int mxcsr, long integers) {
    int low = Floats.integerToSingle(m, mxcsr, (int) integers);
    return Lanes.dwords(low, Floats.integerToSingle(m, mxcsr, (int) (integers >> 32)));
  }

  @Meaning("CVTDQ2PS")
  public static void cvtdq2ps(Cpu c, int to, int from) {
    SseMath m = SseArithmetic.start(c);
    long low = singles(m, c.mxcsr, c.xmm[2 * from]);
    long high = singles(m, c.mxcsr, c.xmm[2 * from + 1]);
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  @Meaning("CVTDQ2PD")
  public static void cvtdq2pd(Cpu c, int to, int from) {
    setDoubles(c, to, c.xmm[2 * from]);
  }

  private static void setDoubles(Cpu c, int to, long integers) {
    SseArithmetic.set(
        c,
        to,
        Double.doubleToRawLongBits((int) integers),
        Double.doubleToRawLongBits((int) (integers >> 32)));
  }

  /** Enters MMX state for a register only: with a memory operand this is no MMX instruction. */
  private static void enterMmx(Cpu c, int from) {
    if (from != Vectors.SLOT) {
      c.x87.checkPending(c);
      c.x87.enterMmx();
    }
  }

  @Meaning("CVTPI2PS")
  public static void cvtpi2ps(Cpu c, int to, int from) {
    enterMmx(c, from);
    SseMath m = SseArithmetic.start(c);
    long r = singles(m, c.mxcsr, c.x87.significand[from]);
    Floats.report(c, m);
    c.xmm[2 * to] = r;
  }

  @Meaning("CVTPI2PD")
  public static void cvtpi2pd(Cpu c, int to, int from) {
    enterMmx(c, from);
    setDoubles(c, to, c.x87.significand[from]);
  }

  @Meaning("CVTSI2SS")
  public static void cvtsi2ss(Cpu c, Insn i) {
    SseMath m = SseArithmetic.start(c);
    int r = Floats.integerToSingle(m, c.mxcsr, integer(c, i));
    Floats.report(c, m);
    SseArithmetic.setSingle(c, i.reg, r);
  }

  @Meaning("CVTSI2SD")
  public static void cvtsi2sd(Cpu c, Insn i) {
    SseMath m = SseArithmetic.start(c);
    long r = Floats.integerToDouble(m, c.mxcsr, integer(c, i));
    Floats.report(c, m);
    c.xmm[2 * i.reg] = r;
  }

  private static long integer(Cpu c, Insn i) {
    int size = SseMove.wide(i);
    long v = Operands.load(c, i, size);
    return size == 32 ? (int) v : v;
  }

  // To integers.

  private static long integers(SseMath m, int mxcsr, long singles, int mode) {
    long low = Floats.toInteger(m, mxcsr, (int) singles, 32, mode);
    return low | Floats.toInteger(m, mxcsr, (int) (singles >> 32), 32, mode) << 32;
  }

  private static void fromSingles(Cpu c, int to, int from, int mode) {
    SseMath m = SseArithmetic.start(c);
    long low = integers(m, c.mxcsr, c.xmm[2 * from], mode);
    long high = integers(m, c.mxcsr, c.xmm[2 * from + 1], mode);
    Floats.report(c, m);
    SseArithmetic.set(c, to, low, high);
  }

  @Meaning("CVTPS2DQ")
  public static void cvtps2dq(Cpu c, int to, int from) {
    fromSingles(c, to, from, rounding(c));
  }

  @Meaning("CVTTPS2DQ")
  public static void cvttps2dq(Cpu c, int to, int from) {
    fromSingles(c, to, from, SoftFloat.ZERO);
  }

  private static long fromDoubles(Cpu c, int from, int mode) {
    SseMath m = SseArithmetic.start(c);
    long low = Floats.toInteger(m, c.mxcsr, c.xmm[2 * from], 32, mode);
    long high = Floats.toInteger(m, c.mxcsr, c.xmm[2 * from + 1], 32, mode);
    Floats.report(c, m);
    return low | high << 32;
  }

  @Meaning("CVTPD2DQ")
  public static void cvtpd2dq(Cpu c, int to, int from) {
    SseArithmetic.set(c, to, fromDoubles(c, from, rounding(c)), 0);
  }

  @Meaning("CVTTPD2DQ")
  public static void cvttpd2dq(Cpu c, int to, int from) {
    SseArithmetic.set(c, to, fromDoubles(c, from, SoftFloat.ZERO), 0);
  }

  private static void singlesToMmx(Cpu c, int to, int from, int mode) {
    c.x87.checkPending(c);
    SseMath m = SseArithmetic.start(c);
    long r = integers(m, c.mxcsr, c.xmm[2 * from], mode);
    Floats.report(c, m);
    MmxLanes.set(c, to, r);
  }

  @Meaning("CVTPS2PI")
  public static void cvtps2pi(Cpu c, int to, int from) {
    singlesToMmx(c, to, from, rounding(c));
  }

  @Meaning("CVTTPS2PI")
  public static void cvttps2pi(Cpu c, int to, int from) {
    singlesToMmx(c, to, from, SoftFloat.ZERO);
  }

  @Meaning("CVTPD2PI")
  public static void cvtpd2pi(Cpu c, int to, int from) {
    c.x87.checkPending(c);
    MmxLanes.set(c, to, fromDoubles(c, from, rounding(c)));
  }

  @Meaning("CVTTPD2PI")
  public static void cvttpd2pi(Cpu c, int to, int from) {
    c.x87.checkPending(c);
    MmxLanes.set(c, to, fromDoubles(c, from, SoftFloat.ZERO));
  }

  private static void singleToGeneral(Cpu c, Insn i, int mode) {
    int a = i.memory ? (int) Operands.load(c, i, 32) : (int) c.xmm[2 * i.rm];
    SseMath m = SseArithmetic.start(c);
    long r = Floats.toInteger(m, c.mxcsr, a, SseMove.wide(i), mode);
    Floats.report(c, m);
    c.gpr[i.reg] = r;
  }

  private static void doubleToGeneral(Cpu c, Insn i, int mode) {
    long a = i.memory ? Operands.load(c, i, 64) : c.xmm[2 * i.rm];
    SseMath m = SseArithmetic.start(c);
    long r = Floats.toInteger(m, c.mxcsr, a, SseMove.wide(i), mode);
    Floats.report(c, m);
    c.gpr[i.reg] = r;
  }

  @Meaning("CVTSS2SI")
  public static void cvtss2si(Cpu c, Insn i) {
    singleToGeneral(c, i, rounding(c));
  }

  @Meaning("CVTTSS2SI")
  public static void cvttss2si(Cpu c, Insn i) {
    singleToGeneral(c, i, SoftFloat.ZERO);
  }

  @Meaning("CVTSD2SI")
  public static void cvtsd2si(Cpu c, Insn i) {
    doubleToGeneral(c, i, rounding(c));
  }

  @Meaning("CVTTSD2SI")
  public static void cvttsd2si(Cpu c, Insn i) {
    doubleToGeneral(c, i, SoftFloat.ZERO);
  }
}
