package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;

/**
 * The architectural state of one x86 vCPU, as plain fields: the interpreter works on them, the
 * translator loads and stores them at turn ends, a snapshot lists them.
 */
public final class Cpu {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  /** The register number that reads as zero: no base, no index. */
  public static final int ZERO = 16;

  public static final int ES = 0;
  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;
  public static final int LDTR = 6;
  public static final int TR = 7;

  /** General registers 0 to 15; [16] is always 0. A 32-bit write stores the zero-extended value. */
  public final long[] gpr = new long[17];

  /**
   * Offset in CS of the next instruction (of the current one while it executes, until it retires).
   */
  public long rip;

  // Arithmetic flags, kept as the values they follow from, so that no instruction tests or branches
  // to set them.
  /** ZF = (flagZero == 0). */
  public long flagZero = 1;

  /** SF = (flagSign &lt; 0); PF = even parity of the low byte. */
  public long flagSign = 1;

  /** Carries out of each bit, aligned so that bit 63 is CF and bit 63 xor bit 62 is OF. */
  public long flagCarry;

  /** AF = bit 4. */
  public long flagAux;

  /**
   * All other RFLAGS bits (TF IF DF IOPL NT RF VM AC VIF VIP ID) in place; arithmetic bits 0; bit 1
   * is added on reading.
   */
  public long systemFlags;

  /** Segment registers by number: ES CS SS DS FS GS LDTR TR. */
  public final int[] selector = new int[8];

  public final long[] segmentBase = new long[8];

  /** Limit in bytes, expanded by G, unsigned 32 bits in a long. */
  public final long[] segmentLimit = new long[8];

  /**
   * Attributes: bits 8 to 23 of the descriptor's high dword (type S DPL P AVL L D G), shifted right
   * by 8.
   */
  public final int[] segmentAttributes = new int[8];

  public long gdtBase;
  public int gdtLimit;
  public long idtBase;
  public int idtLimit;

  public long cr0;
  public long cr2;
  public long cr3;
  public long cr4;
  public long efer;
  public long xcr0 = 1;

  /** DR0 to DR3, DR6, DR7 at their numbers. */
  public final long[] dr = new long[8];

  /** Current privilege level, 0 to 3. */
  public int cpl;

  /**
   * XMM registers, low quadword at 2n, high at 2n + 1; number 16 and 17 are scratch for memory
   * operands.
   */
  public final long[] xmm = new long[2 * 18];

  public int mxcsr = 0x1F80;

  /** x87 and MMX state. */
  public final X87 x87 = new X87();

  private final Fault fault = new Fault();
  private final Leave leave = new Leave();

  /** {@code throw cpu.fault(Fault.UD)}: an exception without an error code. */
  public Fault fault(int vector) {
    return fault(vector, Fault.NO_ERROR_CODE);
  }

  /** {@code throw cpu.fault(Fault.GP, selector)}: an exception with an error code. */
  public Fault fault(int vector, int error) {
    fault.vector = vector;
    fault.error = error;
    return fault;
  }

  /** {@code throw cpu.pageFault(linear, error)}. */
  public Fault pageFault(long linear, int error) {
    fault.address = linear;
    return fault(Fault.PF, error);
  }

  /**
   * {@code throw cpu.leave(exit)}: the instruction is undone, the exit goes out, the instruction
   * starts again.
   */
  public Leave leave(Exit exit) {
    leave.exit = exit;
    return leave;
  }
}
