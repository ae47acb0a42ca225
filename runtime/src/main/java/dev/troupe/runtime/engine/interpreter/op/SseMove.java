package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Moves to, from and among XMM registers, whole or in part, and the MXCSR's (SDM vol. 2). */
public final class SseMove {
  /** MXCSR bits that exist with SSE2 and DAZ; FXSAVE's MXCSR_MASK. */
  static final int MXCSR_MASK = 0xFFFF;

  private static final long LOW = 0xFFFF_FFFFL;

  private SseMove() {}

  @Meaning("MOVDQA")
  public static void movdqa(Cpu c, int to, int from) {
    long[] x = c.xmm;
    x[2 * to] = x[2 * from];
    x[2 * to + 1] = x[2 * from + 1];
  }

  @Meaning("MOVQ")
  public static void movq(Cpu c, int to, int from) {
    c.xmm[2 * to] = c.xmm[2 * from];
    c.xmm[2 * to + 1] = 0;
  }

  @Meaning("MOVSD")
  public static void movsd(Cpu c, int to, int from) {
    c.xmm[2 * to] = c.xmm[2 * from];
  }

  @Meaning("MOVSS")
  public static void movss(Cpu c, int to, int from) {
    c.xmm[2 * to] = (c.xmm[2 * to] & ~LOW) | (c.xmm[2 * from] & LOW);
  }

  @Meaning("MOVSS_LOAD")
  public static void movssLoad(Cpu c, int to, int from) {
    c.xmm[2 * to] = c.xmm[2 * from] & LOW;
    c.xmm[2 * to + 1] = 0;
  }

  @Meaning("MOVHLPS")
  public static void movhlps(Cpu c, int to, int from) {
    c.xmm[2 * to] = c.xmm[2 * from + 1];
  }

  @Meaning("MOVHPS")
  public static void movhps(Cpu c, int to, int from) {
    c.xmm[2 * to + 1] = c.xmm[2 * from];
  }

  @Meaning("MOVHPS_STORE")
  public static void movhpsStore(Cpu c, int to, int from) {
    c.xmm[2 * to] = c.xmm[2 * from + 1];
  }

  /**
   * The size of an operand of code y: 64 with REX.W, else 32, whatever prefix 66 means for the row.
   */
  static int wide(Insn i) {
    return i.operandSize == 64 ? 64 : 32;
  }

  @Meaning("MOVD_TO_XMM")
  public static void movdToXmm(Cpu c, Insn i) {
    c.xmm[2 * i.reg] = Operands.load(c, i, wide(i));
    c.xmm[2 * i.reg + 1] = 0;
  }

  @Meaning("MOVD_FROM_XMM")
  public static void movdFromXmm(Cpu c, Insn i) {
    Operands.store(c, i, wide(i), c.xmm[2 * i.reg]);
  }

  // Elements in and out.

  /** Replaces {@code bits} bits of a register at a multiple of them. */
  private static void insert(Cpu c, int slot, int element, int bits, long value) {
    int shift = element * bits & 63;
    int half = 2 * slot + ((element * bits) >> 6 & 1);
    long mask = (bits == 64 ? -1 : (1L << bits) - 1) << shift;
    c.xmm[half] = (c.xmm[half] & ~mask) | (value << shift & mask);
  }

  private static long extract(Cpu c, int slot, int element, int bits) {
    return c.xmm[2 * slot + ((element * bits) >> 6 & 1)] >>> (element * bits & 63)
        & (bits == 64 ? -1 : (1L << bits) - 1);
  }

  private static long element(Cpu c, Insn i, int bits) {
    return i.memory ? Operands.load(c, i, bits) : c.gpr[i.rm];
  }

  @Meaning("PINSRB")
  public static void pinsrb(Cpu c, Insn i) {
    insert(c, i.reg, (int) i.immediate & 15, 8, element(c, i, 8));
  }

  @Meaning("PINSRW")
  public static void pinsrw(Cpu c, Insn i) {
    insert(c, i.reg, (int) i.immediate & 7, 16, element(c, i, 16));
  }

  @Meaning("PINSRD")
  public static void pinsrd(Cpu c, Insn i) {
    int bits = wide(i);
    insert(c, i.reg, (int) i.immediate & 3, bits, element(c, i, bits));
  }

  @Meaning("PEXTRB")
  public static void pextrb(Cpu c, Insn i) {
    store(c, i, 8, extract(c, i.reg, (int) i.immediate & 15, 8));
  }

  @Meaning("PEXTRW")
  public static void pextrw(Cpu c, Insn i) {
    store(c, i, 16, extract(c, i.reg, (int) i.immediate & 7, 16));
  }

  @Meaning("PEXTRW_G")
  public static void pextrwFromModRm(Cpu c, Insn i) {
    c.gpr[i.reg] = extract(c, i.rm, (int) i.immediate & 7, 16);
  }

  @Meaning("PEXTRD")
  public static void pextrd(Cpu c, Insn i) {
    int bits = wide(i);
    store(c, i, bits, extract(c, i.reg, (int) i.immediate & 3, bits));
  }

  @Meaning("EXTRACTPS")
  public static void extractps(Cpu c, Insn i) {
    store(c, i, 32, extract(c, i.reg, (int) i.immediate & 3, 32));
  }

  /** An element to memory, or zero-extended to a general register. */
  private static void store(Cpu c, Insn i, int bits, long value) {
    if (i.memory) {
      Operands.store(c, i, bits, value);
    } else {
      c.gpr[i.rm] = value;
    }
  }

  @Meaning("PMOVMSKB")
  public static void pmovmskb(Cpu c, Insn i) {
    c.gpr[i.reg] = Lanes.signs(c.xmm[2 * i.rm]) | Lanes.signs(c.xmm[2 * i.rm + 1]) << 8;
  }

  @Meaning("MOVMSKPS")
  public static void movmskps(Cpu c, Insn i) {
    c.gpr[i.reg] = signsOfDwords(c.xmm[2 * i.rm]) | signsOfDwords(c.xmm[2 * i.rm + 1]) << 2;
  }

  private static long signsOfDwords(long a) {
    return (a >>> 31 & 1) | (a >>> 62 & 2);
  }

  @Meaning("MOVMSKPD")
  public static void movmskpd(Cpu c, Insn i) {
    c.gpr[i.reg] = c.xmm[2 * i.rm] >>> 63 | c.xmm[2 * i.rm + 1] >>> 63 << 1;
  }

  @Meaning("MASKMOVDQU")
  public static void maskmovdqu(Cpu c, Insn i) {
    long low = Lanes.signs(c.xmm[2 * i.rm]);
    storeMasked(
        c,
        i,
        c.xmm[2 * i.reg],
        c.xmm[2 * i.reg + 1],
        (int) low | Lanes.signs(c.xmm[2 * i.rm + 1]) << 8);
  }

  /**
   * Stores the bytes that the mask has bits for at DS:rDI; touches nothing else, nor anything if
   * one of them faults. Alignment is checked for quadwords.
   */
  static void storeMasked(Cpu c, Insn i, long low, long high, int mask) {
    long target = Operands.linear(c, i, Operands.cut(c.gpr[Cpu.RDI], i.addressSize), 1, true);
    if ((c.mode & Mode.ALIGNMENT_CHECK) != 0 && (target & 7) != 0) {
      throw c.fault(Fault.AC, 0);
    }
    if (mask == 0) {
      return;
    }
    int first = Integer.numberOfTrailingZeros(mask);
    int count = 32 - Integer.numberOfLeadingZeros(mask) - first;
    long offset = Operands.cut(c.gpr[Cpu.RDI] + first, i.addressSize);
    long linear = Operands.linear(c, i, offset, count, true);
    c.mmu.probeWrite(linear, count);
    for (int n = first; n < first + count; n++) {
      if ((mask >> n & 1) != 0) {
        c.mmu.store8(linear + n - first, (n < 8 ? low : high) >>> (8 * (n & 7)) & 0xFF);
      }
    }
  }

  // MXCSR.

  @Meaning(value = "LDMXCSR", flow = Flow.END)
  public static void ldmxcsr(Cpu c, Insn i) {
    int value = (int) Operands.load(c, i, 32);
    if ((value & ~MXCSR_MASK) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    c.mxcsr = value;
  }

  @Meaning("STMXCSR")
  public static void stmxcsr(Cpu c, Insn i) {
    Operands.store(c, i, 32, c.mxcsr);
  }
}
