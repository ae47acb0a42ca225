package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.Format;
import dev.troupe.runtime.cpu.softfloat.X87Math;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * x87 addition, subtraction, multiplication and division in all their forms (SDM vol. 1, 8.3.5;
 * vol. 2).
 */
public final class X87Arithmetic {
  private static final int ADD = 0;
  private static final int MUL = 1;
  private static final int SUB = 2;
  private static final int SUBR = 3;
  private static final int DIV = 4;
  private static final int DIVR = 5;

  private X87Arithmetic() {}

  /** Remembers the instruction's address, and that of its memory operand. */
  static void begin(Cpu c, Insn i) {
    c.x87.instructionPointer = i.rip;
    if (i.memory) {
      c.x87.dataPointer = Operands.offset(c, i);
    }
  }

  /** The operation on two numbers, the first of which is ST(0) for all but the reversed ones. */
  private static void compute(X87 x, int operation, int ae, long as, int be, long bs) {
    X87Math m = x.math;
    switch (operation) {
      case ADD -> m.add(ae, as, be, bs, x.control);
      case MUL -> m.multiply(ae, as, be, bs, x.control);
      case SUB -> m.subtract(ae, as, be, bs, x.control);
      case SUBR -> m.subtract(be, bs, ae, as, x.control);
      case DIV -> m.divide(ae, as, be, bs, x.control);
      default -> m.divide(be, bs, ae, as, x.control);
    }
  }

  /**
   * The end of an operation: exceptions, C1, the result to ST(to).
   *
   * @return false if an unmasked exception left everything as it was
   */
  static boolean finish(X87 x, int to) {
    X87Math m = x.math;
    x.status = m.roundedUp ? x.status | X87.C1 : x.status & ~X87.C1;
    if (m.flags != 0) {
      x.raise(m.flags);
      if (x.stops(m.flags)) {
        return false;
      }
    }
    int r = x.physical(to);
    x.exponent[r] = m.exponent;
    x.significand[r] = m.significand;
    return true;
  }

  /** A masked stack underflow's result to ST(to); false if it is unmasked. */
  static boolean underflow(X87 x, int to) {
    if (!x.underflow()) {
      return false;
    }
    x.set(to, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
    return true;
  }

  /** ST(to) = ST(to) op ST(from), one of them ST(0). */
  private static boolean registers(Cpu c, Insn i, int operation, int to, int from) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    int a = x.physical(to);
    int b = x.physical(from);
    if ((x.used >> a & x.used >> b & 1) == 0) {
      return underflow(x, to);
    }
    compute(x, operation, x.exponent[a], x.significand[a], x.exponent[b], x.significand[b]);
    return finish(x, to);
  }

  private static void popped(Cpu c, Insn i, int operation) {
    if (registers(c, i, operation, i.rm, 0)) {
      c.x87.pop();
    }
  }

  /** ST(0) = ST(0) op a converted memory operand; {@code flags} are the conversion's. */
  private static void memory(Cpu c, int operation, int flags) {
    X87 x = c.x87;
    if (x.isEmpty(0)) {
      underflow(x, 0);
      return;
    }
    X87Math m = x.math;
    m.operandFlags = flags & X87.DE;
    int r = x.top;
    compute(x, operation, x.exponent[r], x.significand[r], m.exponent, m.significand);
    finish(x, 0);
  }

  private static void real(Cpu c, Insn i, int operation, Format format, int size) {
    long bits = Operands.load(c, i, size);
    begin(c, i);
    c.x87.math.from(format, bits);
    memory(c, operation, c.x87.math.flags);
  }

  private static void integer(Cpu c, Insn i, int operation, int size) {
    long bits = Operands.load(c, i, size);
    begin(c, i);
    c.x87.math.fromInteger(size == 16 ? (short) bits : (int) bits);
    memory(c, operation, 0);
  }

  @Meaning("FADD")
  public static void fadd(Cpu c, Insn i) {
    registers(c, i, ADD, 0, i.rm);
  }

  @Meaning("FADD_STI")
  public static void faddSti(Cpu c, Insn i) {
    registers(c, i, ADD, i.rm, 0);
  }

  @Meaning("FADDP")
  public static void faddp(Cpu c, Insn i) {
    popped(c, i, ADD);
  }

  @Meaning("FADD_M32")
  public static void faddM32(Cpu c, Insn i) {
    real(c, i, ADD, Format.SINGLE, 32);
  }

  @Meaning("FADD_M64")
  public static void faddM64(Cpu c, Insn i) {
    real(c, i, ADD, Format.DOUBLE, 64);
  }

  @Meaning("FIADD_M16")
  public static void fiaddM16(Cpu c, Insn i) {
    integer(c, i, ADD, 16);
  }

  @Meaning("FIADD_M32")
  public static void fiaddM32(Cpu c, Insn i) {
    integer(c, i, ADD, 32);
  }

  @Meaning("FMUL")
  public static void fmul(Cpu c, Insn i) {
    registers(c, i, MUL, 0, i.rm);
  }

  @Meaning("FMUL_STI")
  public static void fmulSti(Cpu c, Insn i) {
    registers(c, i, MUL, i.rm, 0);
  }

  @Meaning("FMULP")
  public static void fmulp(Cpu c, Insn i) {
    popped(c, i, MUL);
  }

  @Meaning("FMUL_M32")
  public static void fmulM32(Cpu c, Insn i) {
    real(c, i, MUL, Format.SINGLE, 32);
  }

  @Meaning("FMUL_M64")
  public static void fmulM64(Cpu c, Insn i) {
    real(c, i, MUL, Format.DOUBLE, 64);
  }

  @Meaning("FIMUL_M16")
  public static void fimulM16(Cpu c, Insn i) {
    integer(c, i, MUL, 16);
  }

  @Meaning("FIMUL_M32")
  public static void fimulM32(Cpu c, Insn i) {
    integer(c, i, MUL, 32);
  }

  @Meaning("FSUB")
  public static void fsub(Cpu c, Insn i) {
    registers(c, i, SUB, 0, i.rm);
  }

  @Meaning("FSUB_STI")
  public static void fsubSti(Cpu c, Insn i) {
    registers(c, i, SUB, i.rm, 0);
  }

  @Meaning("FSUBP")
  public static void fsubp(Cpu c, Insn i) {
    popped(c, i, SUB);
  }

  @Meaning("FSUB_M32")
  public static void fsubM32(Cpu c, Insn i) {
    real(c, i, SUB, Format.SINGLE, 32);
  }

  @Meaning("FSUB_M64")
  public static void fsubM64(Cpu c, Insn i) {
    real(c, i, SUB, Format.DOUBLE, 64);
  }

  @Meaning("FISUB_M16")
  public static void fisubM16(Cpu c, Insn i) {
    integer(c, i, SUB, 16);
  }

  @Meaning("FISUB_M32")
  public static void fisubM32(Cpu c, Insn i) {
    integer(c, i, SUB, 32);
  }

  @Meaning("FSUBR")
  public static void fsubr(Cpu c, Insn i) {
    registers(c, i, SUBR, 0, i.rm);
  }

  @Meaning("FSUBR_STI")
  public static void fsubrSti(Cpu c, Insn i) {
    registers(c, i, SUBR, i.rm, 0);
  }

  @Meaning("FSUBRP")
  public static void fsubrp(Cpu c, Insn i) {
    popped(c, i, SUBR);
  }

  @Meaning("FSUBR_M32")
  public static void fsubrM32(Cpu c, Insn i) {
    real(c, i, SUBR, Format.SINGLE, 32);
  }

  @Meaning("FSUBR_M64")
  public static void fsubrM64(Cpu c, Insn i) {
    real(c, i, SUBR, Format.DOUBLE, 64);
  }

  @Meaning("FISUBR_M16")
  public static void fisubrM16(Cpu c, Insn i) {
    integer(c, i, SUBR, 16);
  }

  @Meaning("FISUBR_M32")
  public static void fisubrM32(Cpu c, Insn i) {
    integer(c, i, SUBR, 32);
  }

  @Meaning("FDIV")
  public static void fdiv(Cpu c, Insn i) {
    registers(c, i, DIV, 0, i.rm);
  }

  @Meaning("FDIV_STI")
  public static void fdivSti(Cpu c, Insn i) {
    registers(c, i, DIV, i.rm, 0);
  }

  @Meaning("FDIVP")
  public static void fdivp(Cpu c, Insn i) {
    popped(c, i, DIV);
  }

  @Meaning("FDIV_M32")
  public static void fdivM32(Cpu c, Insn i) {
    real(c, i, DIV, Format.SINGLE, 32);
  }

  @Meaning("FDIV_M64")
  public static void fdivM64(Cpu c, Insn i) {
    real(c, i, DIV, Format.DOUBLE, 64);
  }

  @Meaning("FIDIV_M16")
  public static void fidivM16(Cpu c, Insn i) {
    integer(c, i, DIV, 16);
  }

  @Meaning("FIDIV_M32")
  public static void fidivM32(Cpu c, Insn i) {
    integer(c, i, DIV, 32);
  }

  @Meaning("FDIVR")
  public static void fdivr(Cpu c, Insn i) {
    registers(c, i, DIVR, 0, i.rm);
  }

  @Meaning("FDIVR_STI")
  public static void fdivrSti(Cpu c, Insn i) {
    registers(c, i, DIVR, i.rm, 0);
  }

  @Meaning("FDIVRP")
  public static void fdivrp(Cpu c, Insn i) {
    popped(c, i, DIVR);
  }

  @Meaning("FDIVR_M32")
  public static void fdivrM32(Cpu c, Insn i) {
    real(c, i, DIVR, Format.SINGLE, 32);
  }

  @Meaning("FDIVR_M64")
  public static void fdivrM64(Cpu c, Insn i) {
    real(c, i, DIVR, Format.DOUBLE, 64);
  }

  @Meaning("FIDIVR_M16")
  public static void fidivrM16(Cpu c, Insn i) {
    integer(c, i, DIVR, 16);
  }

  @Meaning("FIDIVR_M32")
  public static void fidivrM32(Cpu c, Insn i) {
    integer(c, i, DIVR, 32);
  }
}
