package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/**
 * Shifts and rotates with exact flags (SDM vol. 2). Counts are masked to 5 bits, 6 for 64-bit
 * operands; a masked count of 0 changes no flag. OF is defined for counts of 1 only; for others it
 * is set as Intel processors do: from the last step.
 */
public final class Shift {
  private Shift() {}

  private static int count(long b, int size) {
    return (int) b & (size == 64 ? 63 : 31);
  }

  @Meaning({"SHL", "SAL"})
  public static long shl(Cpu c, long a, long b, int size) {
    int n = count(b, size);
    if (n == 0) {
      return a;
    }
    long before = a << (n - 1); // the bit that leaves last is at the top of the operand
    long r = before << 1;
    boolean carry = (before >>> (size - 1) & 1) != 0;
    Flags.result(c, r, size);
    Flags.carryOverflow(c, carry, carry != ((r >>> (size - 1) & 1) != 0));
    c.flagAux = 0;
    return r;
  }

  @Meaning("SHR")
  public static long shr(Cpu c, long a, long b, int size) {
    int n = count(b, size);
    if (n == 0) {
      return a;
    }
    long before = a >>> (n - 1);
    long r = before >>> 1;
    Flags.result(c, r, size);
    Flags.carryOverflow(c, (before & 1) != 0, (before >>> (size - 1) & 1) != 0);
    c.flagAux = 0;
    return r;
  }

  @Meaning("SAR")
  public static long sar(Cpu c, long a, long b, int size) {
    int n = count(b, size);
    if (n == 0) {
      return a;
    }
    long before = Flags.extend(a, size) >> (n - 1);
    long r = before >> 1;
    Flags.result(c, r, size);
    Flags.carryOverflow(c, (before & 1) != 0, false);
    c.flagAux = 0;
    return r;
  }

  @Meaning("ROL")
  public static long rol(Cpu c, long a, long b, int size) {
    int n = count(b, size);
    if (n == 0) {
      return a;
    }
    int k = n & (size - 1);
    long r = (a << k) | (k == 0 ? 0 : a >>> (size - k));
    boolean carry = (r & 1) != 0;
    Flags.carryOverflow(c, carry, carry != ((r >>> (size - 1) & 1) != 0));
    return r;
  }

  @Meaning("ROR")
  public static long ror(Cpu c, long a, long b, int size) {
    int n = count(b, size);
    if (n == 0) {
      return a;
    }
    int k = n & (size - 1);
    long r = (a >>> k) | (k == 0 ? 0 : a << (size - k));
    boolean carry = (r >>> (size - 1) & 1) != 0;
    Flags.carryOverflow(c, carry, carry != ((r >>> (size - 2) & 1) != 0));
    return r;
  }

  @Meaning("RCL")
  public static long rcl(Cpu c, long a, long b, int size) {
    int n = count(b, size) % (size + 1);
    if (n == 0) {
      return a;
    }
    long r = a << n | (long) Flags.carry(c) << (n - 1);
    if (n > 1) {
      r |= a >>> (size + 1 - n);
    }
    boolean carry = (a >>> (size - n) & 1) != 0;
    Flags.carryOverflow(c, carry, carry != ((r >>> (size - 1) & 1) != 0));
    return r;
  }

  @Meaning("RCR")
  public static long rcr(Cpu c, long a, long b, int size) {
    int n = count(b, size) % (size + 1);
    if (n == 0) {
      return a;
    }
    long r = a >>> n | (long) Flags.carry(c) << (size - n);
    if (n > 1) {
      r |= a << (size + 1 - n);
    }
    r &= Flags.mask(size);
    boolean carry = (a >>> (n - 1) & 1) != 0;
    Flags.carryOverflow(c, carry, ((r >>> (size - 1) ^ r >>> (size - 2)) & 1) != 0);
    return r;
  }

  /**
   * SHLD; for 16-bit operands a count above 16 is undefined and goes on rotating through both, as
   * processors do.
   */
  @Meaning("SHLD")
  public static long shld(Cpu c, long a, long b, long by, int size) {
    int n = count(by, size);
    if (n == 0) {
      return a;
    }
    long r;
    boolean carry;
    if (size == 16) {
      long both = a << 32 | b << 16 | a; // Intel shifts in the destination again after the source
      r = both << n >>> 32 & 0xFFFF;
      carry = (both << (n - 1) >>> 47 & 1) != 0;
    } else {
      r = a << n | b >>> (size - n);
      carry = (a >>> (size - n) & 1) != 0;
    }
    doubleFlags(c, a, r, carry, size);
    return r;
  }

  @Meaning("SHRD")
  public static long shrd(Cpu c, long a, long b, long by, int size) {
    int n = count(by, size);
    if (n == 0) {
      return a;
    }
    long r;
    boolean carry;
    if (size == 16) {
      long both = a << 32 | b << 16 | a;
      r = both >>> n & 0xFFFF;
      carry = (both >>> (n - 1) & 1) != 0;
    } else {
      r = (a >>> n | b << (size - n)) & Flags.mask(size);
      carry = (a >>> (n - 1) & 1) != 0;
    }
    doubleFlags(c, a, r, carry, size);
    return r;
  }

  private static void doubleFlags(Cpu c, long a, long r, boolean carry, int size) {
    Flags.result(c, r, size);
    Flags.carryOverflow(c, carry, ((a ^ r) >>> (size - 1) & 1) != 0);
    c.flagAux = 0;
  }

  @Meaning("SHLX")
  public static long shlx(Cpu c, long a, long b, int size) {
    return a << count(b, size);
  }

  @Meaning("SHRX")
  public static long shrx(Cpu c, long a, long b, int size) {
    return a >>> count(b, size);
  }

  @Meaning("SARX")
  public static long sarx(Cpu c, long a, long b, int size) {
    return Flags.extend(a, size) >> count(b, size);
  }

  @Meaning("RORX")
  public static long rorx(Cpu c, long a, long b, int size) {
    return size == 64 ? Long.rotateRight(a, (int) b) : Integer.rotateRight((int) a, (int) b);
  }
}
