package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.Extended;
import dev.troupe.runtime.cpu.softfloat.Format;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/** x87 comparisons, classification and conditional moves (SDM vol. 1, 8.3.6 and 8.3.3). */
public final class X87Compare {
  private static final int CONDITIONS = X87.C0 | X87.C2 | X87.C3;

  private X87Compare() {}

  /** C3, C2, C0 of a comparison. */
  private static int conditions(int result) {
    return switch (result) {
      case SseMath.LESS -> X87.C0;
      case SseMath.EQUAL -> X87.C3;
      case SseMath.GREATER -> 0;
      default -> CONDITIONS;
    };
  }

  private static void setConditions(X87 x, int bits) {
    x.status = (x.status & ~(CONDITIONS | X87.C1)) | bits;
  }

  /** Compares ST(0); false if an unmasked exception keeps the instruction from popping. */
  private static boolean compare(X87 x, int be, long bs, boolean signal) {
    int result = x.math.compare(x.exponent[x.top], x.significand[x.top], be, bs, signal, x.control);
    x.raise(x.math.flags);
    // Set also where the exception is unmasked, which the manual does not say; but nothing is
    // popped then.
    setConditions(x, conditions(result));
    return !x.stops(x.math.flags);
  }

  private static boolean underflow(X87 x) {
    setConditions(x, CONDITIONS);
    return x.underflow();
  }

  private static boolean registers(Cpu c, Insn i, int with, boolean signal) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(0) || x.isEmpty(with)) {
      return underflow(x);
    }
    int r = x.physical(with);
    return compare(x, x.exponent[r], x.significand[r], signal);
  }

  private static void pop(X87 x, boolean done) {
    if (done) {
      x.pop();
    }
  }

  private static boolean real(Cpu c, Insn i, Format format, int size) {
    X87 x = c.x87;
    long bits = Operands.load(c, i, size);
    X87Arithmetic.begin(c, i);
    if (x.isEmpty(0)) {
      return underflow(x);
    }
    x.math.from(format, bits);
    x.math.operandFlags = x.math.flags & X87.DE;
    return compare(x, x.math.exponent, x.math.significand, true);
  }

  private static boolean integer(Cpu c, Insn i, int size) {
    X87 x = c.x87;
    long bits = Operands.load(c, i, size);
    X87Arithmetic.begin(c, i);
    if (x.isEmpty(0)) {
      return underflow(x);
    }
    x.math.fromInteger(size == 16 ? (short) bits : (int) bits);
    return compare(x, x.math.exponent, x.math.significand, true);
  }

  @Meaning("FCOM")
  public static void fcom(Cpu c, Insn i) {
    registers(c, i, i.rm, true);
  }

  @Meaning("FCOMP")
  public static void fcomp(Cpu c, Insn i) {
    pop(c.x87, registers(c, i, i.rm, true));
  }

  @Meaning("FCOMPP")
  public static void fcompp(Cpu c, Insn i) {
    if (registers(c, i, 1, true)) {
      c.x87.pop();
      c.x87.pop();
    }
  }

  @Meaning("FCOMI")
  public static void fcomi(Cpu c, Insn i) {
    flags(c, i, true);
  }

  @Meaning("FCOMIP")
  public static void fcomip(Cpu c, Insn i) {
    pop(c.x87, flags(c, i, true));
  }

  @Meaning("FUCOM")
  public static void fucom(Cpu c, Insn i) {
    registers(c, i, i.rm, false);
  }

  @Meaning("FUCOMP")
  public static void fucomp(Cpu c, Insn i) {
    pop(c.x87, registers(c, i, i.rm, false));
  }

  @Meaning("FUCOMPP")
  public static void fucompp(Cpu c, Insn i) {
    if (registers(c, i, 1, false)) {
      c.x87.pop();
      c.x87.pop();
    }
  }

  @Meaning("FUCOMI")
  public static void fucomi(Cpu c, Insn i) {
    flags(c, i, false);
  }

  @Meaning("FUCOMIP")
  public static void fucomip(Cpu c, Insn i) {
    pop(c.x87, flags(c, i, false));
  }

  @Meaning("FCOM_M32")
  public static void fcomM32(Cpu c, Insn i) {
    real(c, i, Format.SINGLE, 32);
  }

  @Meaning("FCOMP_M32")
  public static void fcompM32(Cpu c, Insn i) {
    pop(c.x87, real(c, i, Format.SINGLE, 32));
  }

  @Meaning("FCOM_M64")
  public static void fcomM64(Cpu c, Insn i) {
    real(c, i, Format.DOUBLE, 64);
  }

  @Meaning("FCOMP_M64")
  public static void fcompM64(Cpu c, Insn i) {
    pop(c.x87, real(c, i, Format.DOUBLE, 64));
  }

  @Meaning("FICOM_M16")
  public static void ficomM16(Cpu c, Insn i) {
    integer(c, i, 16);
  }

  @Meaning("FICOMP_M16")
  public static void ficompM16(Cpu c, Insn i) {
    pop(c.x87, integer(c, i, 16));
  }

  @Meaning("FICOM_M32")
  public static void ficomM32(Cpu c, Insn i) {
    integer(c, i, 32);
  }

  @Meaning("FICOMP_M32")
  public static void ficompM32(Cpu c, Insn i) {
    pop(c.x87, integer(c, i, 32));
  }

  private static boolean flags(Cpu c, Insn i, boolean signal) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    int r = x.physical(i.rm);
    int result = SseMath.UNORDERED;
    boolean done;
    if (x.isEmpty(0) || x.isEmpty(i.rm)) {
      done = x.underflow();
    } else {
      result =
          x.math.compare(
              x.exponent[x.top],
              x.significand[x.top],
              x.exponent[r],
              x.significand[r],
              signal,
              x.control);
      x.raise(x.math.flags);
      done = !x.stops(x.math.flags);
    }
    // As the condition codes, set also where the exception is unmasked.
    SseCompare.setFlags(c, result);
    return done;
  }

  @Meaning("FTST")
  public static void ftst(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(0)) {
      underflow(x);
    } else {
      compare(x, 0, 0, true);
    }
  }

  @Meaning("FXAM")
  public static void fxam(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    int e = x.exponent[x.top];
    setConditions(
        x, classify(x, e, x.significand[x.top]) | ((e & Extended.SIGN) != 0 ? X87.C1 : 0));
  }

  private static int classify(X87 x, int e, long s) {
    if (x.isEmpty(0)) {
      return X87.C3 | X87.C0;
    }
    if (Extended.isUnsupported(e, s)) {
      return 0;
    }
    if (Extended.isNan(e, s)) {
      return X87.C0;
    }
    if (Extended.isInfinite(e, s)) {
      return X87.C2 | X87.C0;
    }
    if (s == 0) {
      return X87.C3;
    }
    return Extended.isDenormal(e, s) ? X87.C3 | X87.C2 : X87.C2;
  }

  private static void move(Cpu c, Insn i, boolean condition) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(0) || x.isEmpty(i.rm)) {
      X87Arithmetic.underflow(x, 0);
    } else if (condition) {
      int r = x.physical(i.rm);
      x.set(0, x.exponent[r], x.significand[r]);
    }
  }

  @Meaning("FCMOVB")
  public static void fcmovb(Cpu c, Insn i) {
    move(c, i, Flags.below(c));
  }

  @Meaning("FCMOVNB")
  public static void fcmovnb(Cpu c, Insn i) {
    move(c, i, !Flags.below(c));
  }

  @Meaning("FCMOVE")
  public static void fcmove(Cpu c, Insn i) {
    move(c, i, Flags.zero(c));
  }

  @Meaning("FCMOVNE")
  public static void fcmovne(Cpu c, Insn i) {
    move(c, i, !Flags.zero(c));
  }

  @Meaning("FCMOVBE")
  public static void fcmovbe(Cpu c, Insn i) {
    move(c, i, Flags.belowOrEqual(c));
  }

  @Meaning("FCMOVNBE")
  public static void fcmovnbe(Cpu c, Insn i) {
    move(c, i, !Flags.belowOrEqual(c));
  }

  @Meaning("FCMOVU")
  public static void fcmovu(Cpu c, Insn i) {
    move(c, i, Flags.parity(c));
  }

  @Meaning("FCMOVNU")
  public static void fcmovnu(Cpu c, Insn i) {
    move(c, i, !Flags.parity(c));
  }
}
