package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.cpu.softfloat.Format;
import dev.troupe.runtime.cpu.softfloat.SoftFloat;
import dev.troupe.runtime.cpu.softfloat.X87Math;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/** x87 loads, stores, exchanges and constants (SDM vol. 1, 8.3.3 and 8.3.4). */
public final class X87Move {
  private static final int DECIMAL_DIGITS = 18;

  private X87Move() {}

  /** Pushes a number, or the default NaN if the stack is full. */
  static void push(X87 x, int exponent, long significand) {
    x.status &= ~X87.C1;
    if (!x.isEmpty(7)) {
      if (x.overflow()) {
        x.push(X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      }
      return;
    }
    x.push(exponent, significand);
  }

  @Meaning("FLD")
  public static void fld(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    if (x.isEmpty(i.rm)) {
      if (x.underflow()) {
        x.push(X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      }
      return;
    }
    int r = x.physical(i.rm);
    push(x, x.exponent[r], x.significand[r]);
  }

  private static void load(Cpu c, Insn i, Format format, int size) {
    X87 x = c.x87;
    long bits = Operands.load(c, i, size);
    X87Arithmetic.begin(c, i);
    X87Math m = x.math;
    m.from(format, bits);
    if (m.flags != 0 && x.isEmpty(7)) {
      x.status &= ~X87.C1;
      x.raise(m.flags);
      // An unmasked DE does not keep the number from being loaded.
      if (x.stops(m.flags & X87.IE)) {
        return;
      }
      if ((m.flags & X87.IE) != 0) {
        m.significand |= X87.INDEFINITE_SIGNIFICAND;
      }
    }
    push(x, m.exponent, m.significand);
  }

  @Meaning("FLD_M32")
  public static void fldM32(Cpu c, Insn i) {
    load(c, i, Format.SINGLE, 32);
  }

  @Meaning("FLD_M64")
  public static void fldM64(Cpu c, Insn i) {
    load(c, i, Format.DOUBLE, 64);
  }

  @Meaning("FLD_M80")
  public static void fldM80(Cpu c, Insn i) {
    long significand = c.mmu.load64(low(c, i));
    int exponent = (int) c.mmu.load16(high(c, i, false));
    X87Arithmetic.begin(c, i);
    push(c.x87, exponent, significand);
  }

  private static void loadInteger(Cpu c, Insn i, int size) {
    long bits = Operands.load(c, i, size);
    X87Arithmetic.begin(c, i);
    X87Math m = c.x87.math;
    m.fromInteger(size == 16 ? (short) bits : size == 32 ? (int) bits : bits);
    push(c.x87, m.exponent, m.significand);
  }

  @Meaning("FILD_M16")
  public static void fildM16(Cpu c, Insn i) {
    loadInteger(c, i, 16);
  }

  @Meaning("FILD_M32")
  public static void fildM32(Cpu c, Insn i) {
    loadInteger(c, i, 32);
  }

  @Meaning("FILD_M64")
  public static void fildM64(Cpu c, Insn i) {
    loadInteger(c, i, 64);
  }

  @Meaning("FBLD")
  public static void fbld(Cpu c, Insn i) {
    long digits = c.mmu.load64(low(c, i));
    int top = (int) c.mmu.load16(high(c, i, false));
    X87Arithmetic.begin(c, i);
    long v = 0;
    for (int n = DECIMAL_DIGITS - 1; n >= 0; n--) {
      v = v * 10 + (n < 16 ? digits >>> (4 * n) & 15 : top >> (4 * (n - 16)) & 15);
    }
    X87Math m = c.x87.math;
    m.fromInteger(v);
    push(c.x87, m.exponent | (top & 0x8000), m.significand);
  }

  // Stores. Exceptions that forbid the store are raised without a look at memory; else nothing
  // changes before the store's last fault.

  /** Where {@code bytes} bytes are stored: the store itself does not fault any more. */
  private static long target(Cpu c, Insn i, int bytes) {
    long address = Operands.address(c, i, bytes, true);
    c.mmu.checkAlignment(address, bytes);
    c.mmu.probeWrite(address, bytes);
    return address;
  }

  /** Linear address of the first 8 of 10 bytes, all of which can be read. */
  private static long low(Cpu c, Insn i) {
    long low = Operands.part(c, i, 0, 8, false);
    c.mmu.checkAlignment(low, 8);
    long high = high(c, i, false);
    c.mmu.probeRead(low, 8);
    c.mmu.probeRead(high, 2);
    return low;
  }

  /** Linear address of the last 2 of 10 bytes. */
  private static long high(Cpu c, Insn i, boolean write) {
    return Operands.part(c, i, 8, 2, write);
  }

  /** True if ST(0) is empty and the underflow, now raised, has no masked response. */
  private static boolean nothingToStore(X87 x) {
    return x.isEmpty(0) && (x.control & X87.IE) == 0 && !x.underflow();
  }

  private static void store(Cpu c, Insn i, Format format, int size, boolean pop) {
    X87 x = c.x87;
    X87Arithmetic.begin(c, i);
    if (nothingToStore(x)) {
      return;
    }
    if (x.isEmpty(0)) {
      long address = target(c, i, size >> 3);
      x.underflow();
      Operands.store(c, address, size, size == 32 ? 0xFFC0_0000L : 0xFFF8_0000_0000_0000L);
    } else {
      X87Math m = x.math;
      long bits = m.to(format, x.exponent[x.top], x.significand[x.top], x.control);
      int flags = m.flags;
      if ((flags & ~x.control & (X87.IE | X87.OE | X87.UE)) != 0) {
        // Not stored: what the store would have lost is no exception.
        x.status &= ~X87.C1;
        x.raise(flags & ~X87.PE);
        return;
      }
      long address = target(c, i, size >> 3);
      finishStore(x, m);
      Operands.store(c, address, size, bits);
    }
    if (pop) {
      x.pop();
    }
  }

  private static void finishStore(X87 x, X87Math m) {
    x.status = m.roundedUp ? x.status | X87.C1 : x.status & ~X87.C1;
    x.raise(m.flags);
  }

  @Meaning("FST_M32")
  public static void fstM32(Cpu c, Insn i) {
    store(c, i, Format.SINGLE, 32, false);
  }

  @Meaning("FST_M64")
  public static void fstM64(Cpu c, Insn i) {
    store(c, i, Format.DOUBLE, 64, false);
  }

  @Meaning("FSTP_M32")
  public static void fstpM32(Cpu c, Insn i) {
    store(c, i, Format.SINGLE, 32, true);
  }

  @Meaning("FSTP_M64")
  public static void fstpM64(Cpu c, Insn i) {
    store(c, i, Format.DOUBLE, 64, true);
  }

  @Meaning("FSTP_M80")
  public static void fstpM80(Cpu c, Insn i) {
    X87 x = c.x87;
    X87Arithmetic.begin(c, i);
    if (nothingToStore(x)) {
      return;
    }
    boolean empty = x.isEmpty(0);
    storeTen(
        c,
        i,
        empty ? X87.INDEFINITE_SIGNIFICAND : x.significand[x.top],
        empty ? X87.INDEFINITE_EXPONENT : x.exponent[x.top]);
    x.status &= ~X87.C1;
    if (empty) {
      x.underflow();
    }
    x.pop();
  }

  /**
   * Stores ten bytes as Intel's processors do, without a look ahead: a fault of the last two leaves
   * the first eight stored, and all else as it was.
   */
  private static void storeTen(Cpu c, Insn i, long low, long high) {
    c.mmu.store64(Operands.part(c, i, 0, 8, true), low);
    c.mmu.store16(high(c, i, true), high);
  }

  private static void storeInteger(Cpu c, Insn i, int size, int mode, boolean pop) {
    X87 x = c.x87;
    X87Arithmetic.begin(c, i);
    if (nothingToStore(x)) {
      return;
    }
    if (x.isEmpty(0)) {
      long address = target(c, i, size >> 3);
      x.underflow();
      Operands.store(c, address, size, 1L << (size - 1));
    } else {
      X87Math m = x.math;
      long v = m.toInteger(x.exponent[x.top], x.significand[x.top], size, mode, x.control);
      if (x.stops(m.flags)) {
        finishStore(x, m);
        return;
      }
      long address = target(c, i, size >> 3);
      finishStore(x, m);
      Operands.store(c, address, size, v);
    }
    if (pop) {
      x.pop();
    }
  }

  private static int rounding(Cpu c) {
    return X87Math.roundingMode(c.x87.control);
  }

  @Meaning("FIST_M16")
  public static void fistM16(Cpu c, Insn i) {
    storeInteger(c, i, 16, rounding(c), false);
  }

  @Meaning("FIST_M32")
  public static void fistM32(Cpu c, Insn i) {
    storeInteger(c, i, 32, rounding(c), false);
  }

  @Meaning("FISTP_M16")
  public static void fistpM16(Cpu c, Insn i) {
    storeInteger(c, i, 16, rounding(c), true);
  }

  @Meaning("FISTP_M32")
  public static void fistpM32(Cpu c, Insn i) {
    storeInteger(c, i, 32, rounding(c), true);
  }

  @Meaning("FISTP_M64")
  public static void fistpM64(Cpu c, Insn i) {
    storeInteger(c, i, 64, rounding(c), true);
  }

  @Meaning("FISTTP_M16")
  public static void fisttpM16(Cpu c, Insn i) {
    storeInteger(c, i, 16, SoftFloat.ZERO, true);
  }

  @Meaning("FISTTP_M32")
  public static void fisttpM32(Cpu c, Insn i) {
    storeInteger(c, i, 32, SoftFloat.ZERO, true);
  }

  @Meaning("FISTTP_M64")
  public static void fisttpM64(Cpu c, Insn i) {
    storeInteger(c, i, 64, SoftFloat.ZERO, true);
  }

  @Meaning("FBSTP")
  public static void fbstp(Cpu c, Insn i) {
    X87 x = c.x87;
    X87Arithmetic.begin(c, i);
    if (nothingToStore(x)) {
      return;
    }
    long v = -1;
    int sign = x.exponent[x.top] & 0x8000;
    boolean empty = x.isEmpty(0);
    if (!empty) {
      v = x.functions.toDecimal(x.exponent[x.top], x.significand[x.top], x.control);
      if (x.stops(x.math.flags)) {
        finishStore(x, x.math);
        return;
      }
    }
    long low = X87.INDEFINITE_SIGNIFICAND; // packed decimal indefinite
    long high = 0xFFFF;
    if (v >= 0) {
      low = 0;
      for (int n = 0; n < 64; n += 4) {
        low |= v % 10 << n;
        v /= 10;
      }
      high = sign | (v / 10) << 4 | v % 10;
    }
    storeTen(c, i, low, high);
    if (empty) {
      x.underflow();
    } else {
      finishStore(x, x.math);
    }
    x.pop();
  }

  // Registers.

  private static void storeRegister(Cpu c, Insn i, boolean pop) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.status &= ~X87.C1;
    if (x.isEmpty(0)) {
      if (!X87Arithmetic.underflow(x, i.rm)) {
        return;
      }
    } else {
      x.set(i.rm, x.exponent[x.top], x.significand[x.top]);
    }
    if (pop) {
      x.pop();
    }
  }

  @Meaning("FST")
  public static void fst(Cpu c, Insn i) {
    storeRegister(c, i, false);
  }

  @Meaning("FSTP")
  public static void fstp(Cpu c, Insn i) {
    storeRegister(c, i, true);
  }

  /** An undocumented FSTP that finds no stack underflow: an empty ST(0) is only popped. */
  @Meaning("FSTPNCE")
  public static void fstpnce(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.status &= ~X87.C1;
    if (!x.isEmpty(0)) {
      x.set(i.rm, x.exponent[x.top], x.significand[x.top]);
    }
    x.pop();
  }

  @Meaning("FXCH")
  public static void fxch(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.status &= ~X87.C1;
    int a = x.top;
    int b = x.physical(i.rm);
    boolean emptyA = x.isEmpty(0);
    boolean emptyB = x.isEmpty(i.rm);
    if (emptyA || emptyB) {
      if (!x.underflow()) {
        return;
      }
      if (emptyA) {
        x.set(0, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      }
      if (emptyB) {
        x.set(i.rm, X87.INDEFINITE_EXPONENT, X87.INDEFINITE_SIGNIFICAND);
      }
    }
    int e = x.exponent[a];
    long s = x.significand[a];
    x.exponent[a] = x.exponent[b];
    x.significand[a] = x.significand[b];
    x.exponent[b] = e;
    x.significand[b] = s;
  }

  // Constants: the exact value chopped, and whether to nearest is one unit more (SDM vol. 1,
  // 8.3.8).

  private static void constant(Cpu c, Insn i, int exponent, long chopped, boolean nearestIsAbove) {
    c.x87.instructionPointer = i.rip;
    int mode = rounding(c);
    boolean above = mode == SoftFloat.UP || (mode == SoftFloat.NEAREST && nearestIsAbove);
    push(c.x87, exponent, above ? chopped + 1 : chopped);
  }

  @Meaning("FLD1")
  public static void fld1(Cpu c, Insn i) {
    c.x87.instructionPointer = i.rip;
    push(c.x87, 0x3FFF, X87.INTEGER_BIT);
  }

  @Meaning("FLDZ")
  public static void fldz(Cpu c, Insn i) {
    c.x87.instructionPointer = i.rip;
    push(c.x87, 0, 0);
  }

  @Meaning("FLDL2T")
  public static void fldl2t(Cpu c, Insn i) {
    constant(c, i, 0x4000, 0xD49A_784B_CD1B_8AFEL, false);
  }

  @Meaning("FLDL2E")
  public static void fldl2e(Cpu c, Insn i) {
    constant(c, i, 0x3FFF, 0xB8AA_3B29_5C17_F0BBL, true);
  }

  @Meaning("FLDPI")
  public static void fldpi(Cpu c, Insn i) {
    constant(c, i, 0x4000, 0xC90F_DAA2_2168_C234L, true);
  }

  @Meaning("FLDLG2")
  public static void fldlg2(Cpu c, Insn i) {
    constant(c, i, 0x3FFD, 0x9A20_9A84_FBCF_F798L, true);
  }

  @Meaning("FLDLN2")
  public static void fldln2(Cpu c, Insn i) {
    constant(c, i, 0x3FFE, 0xB172_17F7_D1CF_79ABL, true);
  }
}
