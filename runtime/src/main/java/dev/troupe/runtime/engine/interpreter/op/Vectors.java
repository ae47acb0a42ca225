package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.isa.Insn;

/** Memory operands of vector instructions, by way of the scratch slots. Widths in bits. */
public final class Vectors {
  /** The slot that stands for the memory operand, XMM and MMX alike. */
  public static final int SLOT = 16;

  private static final int LOW = 2 * SLOT;

  private Vectors() {}

  /**
   * #GP(0) if an operand in a checked segment is not aligned, whatever the segment's limit says:
   * processors look there later. Without a segment to check there is no order to keep.
   */
  static void checkAlignment(Cpu c, Insn i, int alignment) {
    if (i.addressing == Operands.CHECKED
        && (Operands.offset(c, i) + c.segmentBase[i.segment] & alignment - 1) != 0) {
      throw c.fault(Fault.GP, 0);
    }
  }

  /**
   * The same for FXSAVE's area and the like, in any mode: #AC(0) comes before #GP(0) where
   * alignment is checked, an address that is not canonical before both.
   */
  static void checkArea(Cpu c, Insn i, int alignment) {
    long linear = Operands.offset(c, i) + base(c, i);
    if ((linear & alignment - 1) != 0) {
      c.mmu.checkReachable(linear);
      boolean usable = (c.segmentAttributes[i.segment] & Cpu.ATTRIBUTE_P) != 0;
      if (i.addressing != Operands.CHECKED || usable) {
        c.mmu.checkAlignment(linear, 4);
      }
      throw c.fault(Fault.GP, 0);
    }
  }

  private static long base(Cpu c, Insn i) {
    return switch (i.addressing) {
      case Operands.PLAIN, Operands.FLAT -> 0;
      default -> c.segmentBase[i.segment];
    };
  }

  private static long address(Cpu c, Insn i, int size, boolean write, boolean aligned) {
    if (aligned) {
      checkAlignment(c, i, 16);
    }
    long address = Operands.address(c, i, size >> 3, write);
    if (aligned && (address & 15) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    return address;
  }

  /** Loads the memory operand into the XMM scratch slot, zero-extended to 128 bits. */
  public static void load(Cpu c, Insn i, int size, boolean aligned) {
    long address = address(c, i, size, false, aligned);
    if (size == 128) {
      c.mmu.load128(address, c.xmm, LOW);
    } else {
      c.xmm[LOW] = Operands.load(c, address, size);
      c.xmm[LOW + 1] = 0;
    }
  }

  /** Stores the low {@code size} bits of the XMM scratch slot. */
  public static void store(Cpu c, Insn i, int size, boolean aligned) {
    long address = address(c, i, size, true, aligned);
    if (size == 128) {
      c.mmu.store128(address, c.xmm[LOW], c.xmm[LOW + 1]);
    } else {
      Operands.store(c, address, size, c.xmm[LOW]);
    }
  }

  /** Loads the memory operand into the MMX scratch slot. */
  public static void loadMmx(Cpu c, Insn i, int size) {
    c.x87.significand[SLOT] = Operands.load(c, i, size);
  }

  /** Stores the MMX scratch slot. */
  public static void storeMmx(Cpu c, Insn i, int size) {
    Operands.store(c, i, size, c.x87.significand[SLOT]);
  }
}
