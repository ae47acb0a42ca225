package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.softfloat.X87Functions;
import dev.troupe.runtime.cpu.softfloat.X87Math;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The x87 register file and its control, status and tag words (SDM vol. 1, chapter 8); the MMX
 * registers are the significands of the physical registers. Arithmetic is in {@code
 * runtime.cpu.softfloat}, instructions in {@code engine.interpreter.op}.
 *
 * <p>FIP, FDP and FOP are ours, never a host's: FIP and FDP are those of the last non-control x87
 * instruction that ran (FDP: that had a memory operand); FOP is only what was loaded last
 * (IA32_MISC_ENABLE[2] = 0); FCS and FDS read 0 (CPUID.7.0:EBX[13]).
 */
public final class X87 implements Stateful {
  /** Status word: exception flags, in the same places as in MXCSR. */
  public static final int IE = 1;

  public static final int DE = 1 << 1;
  public static final int ZE = 1 << 2;
  public static final int OE = 1 << 3;
  public static final int UE = 1 << 4;
  public static final int PE = 1 << 5;

  /**
   * Status word: stack fault; exception summary; condition codes; busy, a copy of the exception
   * summary.
   */
  public static final int SF = 1 << 6;

  public static final int ES = 1 << 7;
  public static final int C0 = 1 << 8;
  public static final int C1 = 1 << 9;
  public static final int C2 = 1 << 10;
  public static final int C3 = 1 << 14;
  public static final int BUSY = 1 << 15;

  private static final int EXCEPTIONS = 0x3F;

  private static final int REGISTERS = 8;
  private static final int CONTROL_BITS = 0x1F7F;
  private static final int TOP_BITS = 7 << 11;

  /** Control word after FNINIT: all masked, 64-bit precision, to nearest. */
  public static final int INITIAL_CONTROL = 0x037F;

  /** Control word after RESET. */
  public static final int RESET_CONTROL = 0x0040;

  /**
   * The significand that the default NaN, -infinity and both infinities have their integer bit in.
   */
  public static final long INTEGER_BIT = 1L << 63;

  /** The default (indefinite) QNaN: sign and exponent, significand. */
  public static final int INDEFINITE_EXPONENT = 0xFFFF;

  public static final long INDEFINITE_SIGNIFICAND = 0xC000_0000_0000_0000L;

  /** Number of the first scratch MMX slot, for memory operands, as among the XMM slots. */
  public static final int SCRATCH = 16;

  /**
   * Significands of physical registers 0 to 7, which are MM0 to MM7; [16] and [17] are scratch for
   * memory operands.
   */
  public final long[] significand = new long[SCRATCH + 2];

  /** Bits 79 to 64 of the same: sign in bit 15, biased exponent below. */
  public final int[] exponent = new int[SCRATCH + 2];

  /** Control word as FNSTCW gives it: bit 6 is 1, reserved bits are 0. */
  public int control = RESET_CONTROL;

  /** Status word without TOP (bits 11 to 13 are 0 here). */
  public int status;

  /** Physical number of ST(0), 0 to 7. */
  public int top;

  /** Bit n is set where physical register n is not empty (FXSAVE's abridged tag word). */
  public int used;

  /** FIP: offset of the last non-control x87 instruction. */
  public long instructionPointer;

  /** FDP: offset of its memory operand. */
  public long dataPointer;

  /** FOP: 11 bits, opcode byte 1 bits 2 to 0 and ModRM. */
  public int opcode;

  /** Arithmetic; holds no state between instructions. */
  public final X87Math math = new X87Math();

  public final X87Functions functions = new X87Functions(math);

  /**
   * The FERR# pin: an unmasked exception met a waiting instruction while CR0.NE = 0, and is still
   * there. The board is told of every change.
   */
  private boolean errorLine;

  /** The IGNNE# pin, which the board drives: with CR0.NE = 0 pending exceptions stop nothing. */
  boolean errorsIgnored;

  /** State after RESET: all registers +0.0 and in use, SDM vol. 3, table 10-1. */
  public void reset() {
    initialize();
    Arrays.fill(significand, 0);
    Arrays.fill(exponent, 0);
    control = RESET_CONTROL;
    used = 0xFF;
    errorLine = false;
    errorsIgnored = false;
  }

  /** FNINIT: the registers keep their bits but are empty. */
  public void initialize() {
    control = INITIAL_CONTROL;
    status = 0;
    top = 0;
    used = 0;
    instructionPointer = 0;
    dataPointer = 0;
    opcode = 0;
  }

  /** Physical number of ST(i). */
  public int physical(int i) {
    return (top + i) & 7;
  }

  /** The status word with TOP. */
  public int statusWord() {
    return status | top << 11;
  }

  /** Sets status and TOP; the exception summary follows from the flags and the control word. */
  public void setStatusWord(int word) {
    top = word >> 11 & 7;
    status = word & ~(7 << 11);
    updateSummary();
  }

  /** Sets the control word; reserved bits are dropped; the exception summary follows. */
  public void setControlWord(int word) {
    control = (word & 0x1F3F) | 0x40;
    updateSummary();
  }

  private void updateSummary() {
    if ((status & ~control & EXCEPTIONS) != 0) {
      status |= ES | BUSY;
    } else {
      status &= ~(ES | BUSY);
    }
  }

  /**
   * Sets exception flags (and SF or C1 with them) and the summary.
   *
   * @return true if one of the exceptions is unmasked
   */
  public boolean raise(int flags) {
    status |= flags;
    if ((flags & ~control & EXCEPTIONS) != 0) {
      status |= ES | BUSY;
      return true;
    }
    return false;
  }

  /**
   * The full tag word, two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty (SDM vol.
   * 1, 8.1.7).
   */
  public int tagWord() {
    int word = 0;
    for (int i = 7; i >= 0; i--) {
      word = word << 2 | tag(i);
    }
    return word;
  }

  private int tag(int register) {
    if ((used >> register & 1) == 0) {
      return 3;
    }
    int biased = exponent[register] & 0x7FFF;
    long bits = significand[register];
    if (biased == 0) {
      return bits == 0 ? 1 : 2;
    }
    return biased == 0x7FFF || bits >= 0 ? 2 : 0;
  }

  /**
   * Only whether a register is empty is taken from a full tag word; the rest follows from the
   * contents.
   */
  public void setTagWord(int word) {
    int abridged = 0;
    for (int i = 0; i < 8; i++) {
      if ((word >> (2 * i) & 3) != 3) {
        abridged |= 1 << i;
      }
    }
    used = abridged;
  }

  /**
   * What each MMX instruction but EMMS does besides its own work: TOP = 0, all registers in use.
   */
  public void enterMmx() {
    top = 0;
    used = 0xFF;
  }

  /** Writes an MMX register: the exponent part becomes all ones. */
  public void setMmx(int register, long value) {
    significand[register] = value;
    exponent[register] = 0xFFFF;
  }

  /**
   * What each waiting instruction does first: an unmasked exception that an earlier one left is
   * reported now.
   *
   * @throws Fault #MF, if CR0.NE is set
   * @throws Leave otherwise, unless IGNNE# is asserted: FERR# tells the board, and the processor
   *     freezes before the instruction until an interrupt or IGNNE# (SDM vol. 1, 8.7.2)
   */
  public void checkPending(Cpu cpu) {
    if ((status & ES) != 0) {
      report(cpu);
    }
  }

  private void report(Cpu cpu) {
    if ((cpu.cr0 & CR0_NE) != 0) {
      throw cpu.fault(Fault.MF);
    }
    if (errorsIgnored) {
      return;
    }
    errorLine = true;
    cpu.freeze();
    throw cpu.leave(ERROR);
  }

  /**
   * What each instruction that can take a pending exception away does last: FERR# follows (SDM vol.
   * 1, D.2.1.1).
   */
  public void releaseErrorLine(Cpu cpu) {
    if (errorLine && (status & ES) == 0) {
      errorLine = false;
      cpu.queueExit(NO_ERROR);
    }
  }

  private static final Exit ERROR = new Exit.NumericError(true);
  private static final Exit NO_ERROR = new Exit.NumericError(false);
  private static final int CR0_NE = 1 << 5;

  /** Memory outside the heap for what the host computes, made on first use. */
  private MemorySegment hostBlock;

  /**
   * Host address of {@code size} bytes, aligned to 64, for the operands of instructions that the
   * host runs; theirs until the instruction ends. Only ever used by the vCPU's own thread.
   */
  public long hostBlock(int size) {
    if (hostBlock == null || hostBlock.byteSize() < size) {
      hostBlock = Arena.ofAuto().allocate(size, 64);
    }
    return hostBlock.address();
  }

  // The register stack.

  /** Whether ST(i) is empty. */
  public boolean isEmpty(int i) {
    return (used >> physical(i) & 1) == 0;
  }

  /** Writes ST(i) and marks it in use. */
  public void set(int i, int signAndExponent, long bits) {
    int r = physical(i);
    exponent[r] = signAndExponent;
    significand[r] = bits;
    used |= 1 << r;
  }

  /** Writes a new ST(0). */
  public void push(int signAndExponent, long bits) {
    top = top + 7 & 7;
    set(0, signAndExponent, bits);
  }

  /** Drops ST(0). */
  public void pop() {
    used &= ~(1 << top);
    top = top + 1 & 7;
  }

  /**
   * Stack underflow.
   *
   * @return true if masked: the result is the default NaN
   */
  public boolean underflow() {
    status &= ~C1;
    return !raise(IE | SF);
  }

  /** Stack overflow, as {@link #underflow}. */
  public boolean overflow() {
    return !raise(IE | SF | C1);
  }

  /**
   * Whether exceptions that keep an instruction from having a result (SDM vol. 1, 8.5.1 to 8.5.3)
   * are unmasked.
   */
  public boolean stops(int flags) {
    return (flags & ~control & (IE | DE | ZE)) != 0;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.longs("significand", significand, REGISTERS);
    v.ints("exponent", exponent, REGISTERS, 0, 0xFFFF);
    control = v.bits("control", control, CONTROL_BITS);
    status = v.bits("status", status, 0xFFFF & ~TOP_BITS);
    top = v.within("top", top, 0, 7);
    used = v.int8("used", used);
    instructionPointer = v.int64("instructionPointer", instructionPointer);
    dataPointer = v.int64("dataPointer", dataPointer);
    opcode = v.within("opcode", opcode, 0, 0x7FF);
    errorLine = v.bool("errorLine", errorLine);
    errorsIgnored = v.bool("errorsIgnored", errorsIgnored);
  }
}
