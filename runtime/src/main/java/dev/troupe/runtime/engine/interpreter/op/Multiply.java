package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/**
 * Multiplication and division. SF, ZF, AF and PF are undefined after them: a multiplication sets SF
 * and PF from the low half of the product and leaves ZF and AF clear as Intel processors do; a
 * division leaves all as they were.
 */
public final class Multiply {
  private Multiply() {}

  @Meaning(value = "MUL", flow = Flow.NEXT)
  public static void mul(Cpu c, Insn i, int size) {
    long a = Operands.register(c, Cpu.RAX, size);
    long b = Operands.load(c, i, size);
    long low = a * b;
    long high = size == 64 ? Math.unsignedMultiplyHigh(a, b) : low >>> size & Flags.mask(size);
    product(c, low, high, size);
    flags(c, low, high != 0, size);
  }

  /** One-operand IMUL. */
  @Meaning(value = "IMUL", flow = Flow.NEXT)
  public static void imul1(Cpu c, Insn i, int size) {
    long a = Flags.extend(Operands.register(c, Cpu.RAX, size), size);
    long b = Flags.extend(Operands.load(c, i, size), size);
    long low = a * b;
    long high = size == 64 ? Math.multiplyHigh(a, b) : low >> size;
    product(c, low, high, size);
    flags(c, low, overflows(a, b, low, size), size);
  }

  private static void product(Cpu c, long low, long high, int size) {
    if (size == 8) {
      Operands.setRegister16(c, Cpu.RAX, low);
    } else {
      Operands.setRegister(c, Cpu.RAX, size, low);
      Operands.setRegister(c, Cpu.RDX, size, high);
    }
  }

  private static boolean overflows(long a, long b, long low, int size) {
    return size == 64 ? Math.multiplyHigh(a, b) != low >> 63 : low != Flags.extend(low, size);
  }

  private static void flags(Cpu c, long low, boolean overflow, int size) {
    c.flagSign = Flags.extend(low, size);
    c.flagZero = 1;
    c.flagAux = 0;
    Flags.carryOverflow(c, overflow, overflow);
  }

  /** IMUL with two or three operands: the product of two goes to the first. */
  @Meaning({"IMUL2", "IMUL3"})
  public static long imul2(Cpu c, long a, long b, int size) {
    long x = Flags.extend(a, size);
    long y = Flags.extend(b, size);
    long low = x * y;
    flags(c, low, overflows(x, y, low, size), size);
    return low;
  }

  /**
   * MULX: unsigned, by rDX, no flags; the low half goes to VEX.vvvv, the high half to the first,
   * last.
   */
  @Meaning(value = "MULX", flow = Flow.NEXT)
  public static void mulx(Cpu c, Insn i, int size) {
    long a = Operands.register(c, Cpu.RDX, size);
    long b = Operands.load(c, i, size);
    long low = a * b;
    Operands.setRegister(c, i.vvvv, size, low);
    Operands.setRegister(c, i.reg, size, size == 64 ? Math.unsignedMultiplyHigh(a, b) : low >>> 32);
  }

  @Meaning(value = "DIV", flow = Flow.NEXT)
  public static void div(Cpu c, Insn i, int size) {
    long d = Operands.load(c, i, size);
    if (d == 0) {
      throw c.fault(Fault.DE);
    }
    if (size == 64) {
      div64(c, d);
      return;
    }
    long dividend = dividend(c, size);
    long q = Long.divideUnsigned(dividend, d);
    if (q >>> size != 0) {
      throw c.fault(Fault.DE);
    }
    quotient(c, q, dividend - q * d, size);
  }

  /** AX, or DX:AX, EDX:EAX; zero-extended. */
  private static long dividend(Cpu c, int size) {
    if (size == 8) {
      return c.gpr[Cpu.RAX] & 0xFFFF;
    }
    return Operands.register(c, Cpu.RDX, size) << size | Operands.register(c, Cpu.RAX, size);
  }

  private static void quotient(Cpu c, long q, long r, int size) {
    if (size == 8) {
      Operands.setRegister16(c, Cpu.RAX, (r & 0xFF) << 8 | (q & 0xFF));
    } else {
      Operands.setRegister(c, Cpu.RAX, size, q);
      Operands.setRegister(c, Cpu.RDX, size, r);
    }
  }

  private static void div64(Cpu c, long d) {
    long high = c.gpr[Cpu.RDX];
    long low = c.gpr[Cpu.RAX];
    if (Long.compareUnsigned(high, d) >= 0) {
      throw c.fault(Fault.DE);
    }
    long q = divide128(high, low, d);
    c.gpr[Cpu.RAX] = q;
    c.gpr[Cpu.RDX] = low - q * d;
  }

  /**
   * The quotient of the unsigned 128-bit {@code high:low} by {@code d > high}: schoolbook division
   * with two 32-bit digits (Knuth, The Art of Computer Programming vol. 2, 4.3.1, algorithm D).
   */
  static long divide128(long high, long low, long d) {
    if (high == 0) {
      return Long.divideUnsigned(low, d);
    }
    int shift = Long.numberOfLeadingZeros(d);
    long v = d << shift;
    long v1 = v >>> 32;
    long v0 = v & 0xFFFF_FFFFL;
    long top = shift == 0 ? high : high << shift | low >>> (64 - shift);
    long rest = low << shift;
    long u1 = rest >>> 32;
    long u0 = rest & 0xFFFF_FFFFL;
    long q1 = digit(top, u1, v1, v0);
    long middle = (top << 32) + u1 - q1 * v;
    long q0 = digit(middle, u0, v1, v0);
    return (q1 << 32) + q0;
  }

  private static long digit(long top, long next, long v1, long v0) {
    long q = Long.divideUnsigned(top, v1);
    long r = top - q * v1;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * v0, (r << 32) + next) > 0) {
      q--;
      r += v1;
      if (r >>> 32 != 0) {
        break;
      }
    }
    return q;
  }

  @Meaning(value = "IDIV", flow = Flow.NEXT)
  public static void idiv(Cpu c, Insn i, int size) {
    long d = Flags.extend(Operands.load(c, i, size), size);
    if (d == 0) {
      throw c.fault(Fault.DE);
    }
    if (size == 64) {
      idiv64(c, d);
      return;
    }
    long dividend = Flags.extend(dividend(c, size), size * 2);
    long q = dividend / d; // Long.MIN_VALUE / -1 wraps to a quotient that does not fit either
    if (q != Flags.extend(q, size)) {
      throw c.fault(Fault.DE);
    }
    quotient(c, q, dividend - q * d, size);
  }

  private static void idiv64(Cpu c, long d) {
    long high = c.gpr[Cpu.RDX];
    long low = c.gpr[Cpu.RAX];
    boolean negative = high < 0;
    if (negative) {
      high = ~high + (low == 0 ? 1 : 0);
      low = -low;
    }
    long magnitude = Math.abs(d); // 2^63 stays, as unsigned
    if (Long.compareUnsigned(high, magnitude) >= 0) {
      throw c.fault(Fault.DE);
    }
    long q = divide128(high, low, magnitude);
    long r = low - q * magnitude;
    boolean minus = negative != d < 0;
    if (minus ? Long.compareUnsigned(q, Long.MIN_VALUE) > 0 : q < 0) {
      throw c.fault(Fault.DE);
    }
    c.gpr[Cpu.RAX] = minus ? -q : q;
    c.gpr[Cpu.RDX] = negative ? -r : r;
  }
}
