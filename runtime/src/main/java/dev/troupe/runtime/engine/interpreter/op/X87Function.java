package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.X87Functions;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * x87 functions of one or two registers whose results are exact or exactly rounded (SDM vol. 1,
 * 8.3.5).
 */
public final class X87Function {
  private X87Function() {}

  /** Starts an instruction on ST(0); false if a stack underflow was all of it. */
  private static boolean start(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(0)) {
      X87Arithmetic.underflow(x, 0);
      return false;
    }
    return true;
  }

  @Meaning("FABS")
  public static void fabs(Cpu c, Insn i) {
    if (start(c, i)) {
      c.x87.status &= ~X87.C1;
      c.x87.exponent[c.x87.top] &= 0x7FFF;
    }
  }

  @Meaning("FCHS")
  public static void fchs(Cpu c, Insn i) {
    if (start(c, i)) {
      c.x87.status &= ~X87.C1;
      c.x87.exponent[c.x87.top] ^= 0x8000;
    }
  }

  @Meaning("FSQRT")
  public static void fsqrt(Cpu c, Insn i) {
    if (start(c, i)) {
      X87 x = c.x87;
      x.math.squareRoot(x.exponent[x.top], x.significand[x.top], x.control);
      X87Arithmetic.finish(x, 0);
    }
  }

  @Meaning("FRNDINT")
  public static void frndint(Cpu c, Insn i) {
    if (start(c, i)) {
      X87 x = c.x87;
      x.math.roundToIntegral(x.exponent[x.top], x.significand[x.top], x.control);
      X87Arithmetic.finish(x, 0);
    }
  }

  /** Whether ST(0) and ST(1) hold numbers; if not, the stack underflow is done. */
  private static boolean startPair(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(0) || x.isEmpty(1)) {
      X87Arithmetic.underflow(x, 0);
      return false;
    }
    return true;
  }

  @Meaning("FSCALE")
  public static void fscale(Cpu c, Insn i) {
    if (startPair(c, i)) {
      X87 x = c.x87;
      int r = x.physical(1);
      x.functions.scale(
          x.exponent[x.top], x.significand[x.top], x.exponent[r], x.significand[r], x.control);
      X87Arithmetic.finish(x, 0);
    }
  }

  @Meaning("FPREM")
  public static void fprem(Cpu c, Insn i) {
    remainder(c, i, false);
  }

  @Meaning("FPREM1")
  public static void fprem1(Cpu c, Insn i) {
    remainder(c, i, true);
  }

  private static void remainder(Cpu c, Insn i, boolean nearest) {
    X87 x = c.x87;
    x.status &= ~X87.C2;
    if (!startPair(c, i)) {
      return;
    }
    X87Functions f = x.functions;
    int r = x.physical(1);
    f.remainder(
        x.exponent[x.top],
        x.significand[x.top],
        x.exponent[r],
        x.significand[r],
        nearest,
        x.control);
    boolean done = X87Arithmetic.finish(x, 0);
    if (!done) {
      return;
    }
    if (!f.reduced) {
      return;
    }
    int conditions = f.complete ? 0 : X87.C2;
    conditions |= (f.quotient & 1) != 0 ? X87.C1 : 0;
    conditions |= (f.quotient & 2) != 0 ? X87.C3 : 0;
    conditions |= (f.quotient & 4) != 0 ? X87.C0 : 0;
    x.status = (x.status & ~(X87.C0 | X87.C1 | X87.C3)) | conditions;
  }

  @Meaning("FXTRACT")
  public static void fxtract(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.status &= ~X87.C1;
    boolean empty = x.isEmpty(0);
    if (empty || !x.isEmpty(7)) {
      boolean masked = empty ? x.underflow() : x.overflow();
      if (masked) {
        x.set(0, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
        x.push(X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      }
      return;
    }
    X87Functions f = x.functions;
    f.extract(x.exponent[x.top], x.significand[x.top], x.control);
    x.raise(x.math.flags);
    if (x.stops(x.math.flags)) {
      return;
    }
    x.set(0, f.exponentExponent, f.exponentSignificand);
    x.push(x.math.exponent, x.math.significand);
  }
}
