package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.Row;

/**
 * Operands of integer instructions: register parts, effective addresses, loads and stores by width.
 * Widths are in bits, byte counts in bytes; values are zero-extended.
 */
public final class Operands {
  /** {@link Insn#addressing}: 64-bit, no segment base: the sum is the linear address. */
  public static final int PLAIN = 0;

  /** 64-bit addresses with the base of FS or GS. */
  public static final int BASED = 1;

  /**
   * 32-bit address size in 64-bit code, or 32-bit code with a flat segment: the sum cut to 32 bits.
   */
  public static final int FLAT = 2;

  /** 32-bit address size with the base of FS or GS in 64-bit code. */
  public static final int FLAT_BASED = 3;

  /** A segment with base, limit and rights to be checked. */
  public static final int CHECKED = 4;

  private static final long LOW = 0xFFFF_FFFFL;

  private Operands() {}

  /**
   * The effective address (offset in the segment) of the memory operand, cut to the address size.
   */
  public static long offset(Cpu c, Insn i) {
    long[] g = c.gpr;
    long sum = g[i.base] + (g[i.index] << i.scale) + i.displacement;
    return cut(sum, i.addressSize);
  }

  /**
   * Linear address of a part of the memory operand that processors access by itself, such as a far
   * pointer's selector: between parts the offset wraps at the address size.
   *
   * @param distance bytes from the operand's beginning
   */
  public static long part(Cpu c, Insn i, int distance, int bytes, boolean write) {
    long offset = cut(offset(c, i) + distance, i.addressSize);
    return linear(c, i, offset, bytes, write);
  }

  /** An offset cut to an address size. */
  public static long cut(long offset, int addressSize) {
    return addressSize == 64 ? offset : addressSize == 32 ? offset & LOW : offset & 0xFFFF;
  }

  /** Linear address of the memory operand, checked as for one byte read. */
  public static long address(Cpu c, Insn i) {
    return address(c, i, 1, false);
  }

  /**
   * Linear address of the memory operand of {@code bytes} bytes, segment limit and rights checked
   * where there are any.
   */
  public static long address(Cpu c, Insn i, int bytes, boolean write) {
    long[] g = c.gpr;
    long sum = g[i.base] + (g[i.index] << i.scale) + i.displacement;
    return i.addressing == PLAIN ? sum : segmented(c, i, sum, bytes, write);
  }

  private static long segmented(Cpu c, Insn i, long sum, int bytes, boolean write) {
    return switch (i.addressing) {
      case BASED -> sum + c.segmentBase[i.segment];
      case FLAT -> sum & LOW;
      case FLAT_BASED -> (sum & LOW) + c.segmentBase[i.segment];
      default -> c.segmentation.check(i.segment, cut(sum, i.addressSize), bytes, write);
    };
  }

  /**
   * Linear address of {@code offset} in the instruction's data segment, for string instructions and
   * the like.
   */
  public static long linear(Cpu c, Insn i, long offset, int bytes, boolean write) {
    return i.addressing == PLAIN ? offset : segmented(c, i, offset, bytes, write);
  }

  /** Linear address of {@code offset} in any segment, as the current mode checks it. */
  public static long linear(Cpu c, int segment, long offset, int bytes, boolean write) {
    int mode = c.mode;
    if ((mode & Mode.CODE_64) != 0) {
      return segment >= Cpu.FS ? offset + c.segmentBase[segment] : offset;
    }
    if ((mode & Mode.FLAT_DATA) != 0 && segment < Cpu.FS && segment != Cpu.CS) {
      return offset;
    }
    return c.segmentation.check(segment, offset, bytes, write);
  }

  /**
   * Whether an instruction that met a non-canonical address in 64-bit mode was there through SS:
   * its memory operand's base is rSP or rBP, or it is the stack itself (SDM vol. 1, 3.3.7.1).
   */
  public static boolean inStack(Cpu c, Insn i, long linear) {
    boolean stack = i.row.has(Row.D64 | Row.F64);
    if (!stack) {
      return i.memory && i.segment == Cpu.SS;
    }
    // PUSH, POP, CALL with an operand in memory: the addresses tell which of the two it was.
    long base = i.segment >= Cpu.FS ? c.segmentBase[i.segment] : 0;
    boolean operand = i.memory && Math.abs(linear - base - offset(c, i)) <= 2 * Long.BYTES;
    return !operand || i.segment == Cpu.SS;
  }

  /** How a decoded instruction forms the address of its memory operand, in a mode. */
  public static int addressing(Insn i, int mode) {
    boolean wide = i.addressSize == 64;
    if ((mode & Mode.CODE_64) != 0) {
      return i.segment >= Cpu.FS ? wide ? BASED : FLAT_BASED : wide ? PLAIN : FLAT;
    }
    boolean flat = (mode & Mode.FLAT_DATA) != 0 && i.segment < Cpu.FS && i.segment != Cpu.CS;
    return flat && i.addressSize == 32 ? FLAT : CHECKED;
  }

  /**
   * Linear address of the word that a bit string's bit {@code bit} is in: the memory operand's,
   * moved by whole words of {@code size} bits (SDM vol. 2, BT).
   */
  public static long bitAddress(Cpu c, Insn i, long bit, int size, boolean write) {
    long words = Flags.extend(bit, size) >> (size == 64 ? 6 : size == 32 ? 5 : 4);
    long offset = cut(offset(c, i) + words * (size >> 3), i.addressSize);
    return linear(c, i, offset, size >> 3, write);
  }

  /** A register's value: 8-bit registers 16 to 19 are AH, CH, DH and BH. */
  public static long register(Cpu c, int register, int size) {
    return switch (size) {
      case 8 -> register8(c, register);
      case 16 -> c.gpr[register] & 0xFFFF;
      case 32 -> c.gpr[register] & LOW;
      default -> c.gpr[register];
    };
  }

  public static long register8(Cpu c, int register) {
    return register < 16 ? c.gpr[register] & 0xFF : c.gpr[register - 16] >>> 8 & 0xFF;
  }

  /**
   * Writes a register: 8- and 16-bit values replace their part, 32-bit values clear the upper half.
   */
  public static void setRegister(Cpu c, int register, int size, long value) {
    switch (size) {
      case 8 -> setRegister8(c, register, value);
      case 16 -> setRegister16(c, register, value);
      case 32 -> c.gpr[register] = value & LOW;
      default -> c.gpr[register] = value;
    }
  }

  public static void setRegister8(Cpu c, int register, long value) {
    long[] g = c.gpr;
    if (register < 16) {
      g[register] = (g[register] & ~0xFFL) | (value & 0xFF);
    } else {
      g[register - 16] = (g[register - 16] & ~0xFF00L) | (value & 0xFF) << 8;
    }
  }

  public static void setRegister16(Cpu c, int register, long value) {
    c.gpr[register] = (c.gpr[register] & ~0xFFFFL) | (value & 0xFFFF);
  }

  /** Loads from a linear address. */
  public static long load(Cpu c, long linear, int size) {
    return switch (size) {
      case 8 -> c.mmu.load8(linear);
      case 16 -> c.mmu.load16(linear);
      case 32 -> c.mmu.load32(linear);
      default -> c.mmu.load64(linear);
    };
  }

  /** Loads from a linear address that will be written next; faults as a write. */
  public static long loadRmw(Cpu c, long linear, int size) {
    return switch (size) {
      case 8 -> c.mmu.loadRmw8(linear);
      case 16 -> c.mmu.loadRmw16(linear);
      case 32 -> c.mmu.loadRmw32(linear);
      default -> c.mmu.loadRmw64(linear);
    };
  }

  /** Stores the low {@code size} bits. */
  public static void store(Cpu c, long linear, int size, long value) {
    switch (size) {
      case 8 -> c.mmu.store8(linear, value);
      case 16 -> c.mmu.store16(linear, value);
      case 32 -> c.mmu.store32(linear, value);
      default -> c.mmu.store64(linear, value);
    }
  }

  /** Replaces {@code expected} by {@code value} in one step; false if something else was there. */
  public static boolean compareAndSet(Cpu c, long linear, int size, long expected, long value) {
    return c.mmu.compareAndSet(linear, size >> 3, expected, value);
  }

  /**
   * The write of a read-modify-write: in one step if the instruction is locked (false: somebody
   * else was faster, read again), else a plain store.
   */
  static boolean replace(Cpu c, Insn i, long linear, int size, long old, long value) {
    if (i.lock) {
      return compareAndSet(c, linear, size, old, value & Flags.mask(size));
    }
    store(c, linear, size, value);
    return true;
  }

  /** The ModRM operand, register or memory. */
  public static long load(Cpu c, Insn i, int size) {
    return i.memory ? load(c, address(c, i, size >> 3, false), size) : register(c, i.rm, size);
  }

  /** Writes the ModRM operand, register or memory. */
  public static void store(Cpu c, Insn i, int size, long value) {
    if (i.memory) {
      store(c, address(c, i, size >> 3, true), size, value);
    } else {
      setRegister(c, i.rm, size, value);
    }
  }
}
