package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import java.util.Arrays;

/**
 * FXSAVE, FXRSTOR and the XSAVE family (SDM vol. 1, 10.5 and chapter 13). State components here:
 * x87 (0) and SSE (1), both in the legacy region, whose place and size no format changes.
 *
 * <p>XINUSE, which decides XSTATE_BV, is ours and never a host's: a component is in use when its
 * registers are not in their initial state.
 */
public final class ExtendedState {
  private static final int LEGACY_SIZE = 512;
  private static final int HEADER_SIZE = 64;
  private static final int XSAVE_SIZE = LEGACY_SIZE + HEADER_SIZE;

  // Places in the legacy region, table 10-2.
  private static final int OPCODE = 6;
  private static final int INSTRUCTION = 8;
  private static final int DATA = 16;
  private static final int MXCSR = 24;
  private static final int REGISTERS = 32;
  private static final int XMM = 160;

  // Places in the header, 13.4.2.
  private static final int XSTATE_BV = LEGACY_SIZE;
  private static final int XCOMP_BV = LEGACY_SIZE + 8;

  private static final int X87_STATE = 1;
  private static final int SSE_STATE = 2;
  private static final int AVX_STATE = 4;
  private static final long COMPACTED = 1L << 63;

  private static final int INITIAL_MXCSR = 0x1F80;

  private ExtendedState() {}

  // FXSAVE and FXRSTOR.

  @Meaning("FXSAVE")
  public static void fxsave(Cpu c, Insn i) {
    long area = area(c, i, LEGACY_SIZE, 16, true, LEGACY_SIZE - 1);
    saveX87(c, area, i.operandSize == 64);
    saveMxcsr(c, area);
    saveXmm(c, area);
  }

  @Meaning(value = "FXRSTOR", flow = Flow.END)
  public static void fxrstor(Cpu c, Insn i) {
    long area = area(c, i, LEGACY_SIZE, 16, false, LEGACY_SIZE - 1);
    loadMxcsr(c, area);
    loadX87(c, area, i.operandSize == 64);
    loadXmm(c, area);
    c.x87.releaseErrorLine(c);
  }

  /**
   * Linear address of the area, all of it accessible and aligned: nothing after this faults on
   * account of the address. In the order of processors: #AC where alignment is checked, #GP for
   * what is not aligned, then the byte at {@code first} before all others.
   */
  private static long area(Cpu c, Insn i, int size, int alignment, boolean write, int first) {
    Vectors.checkArea(c, i, alignment);
    long area = Operands.address(c, i, size, write);
    long tried = Operands.part(c, i, first, 1, write);
    if (write) {
      c.mmu.probeWrite(tried, 1);
      c.mmu.probeWrite(area, size);
    } else {
      c.mmu.probeRead(tried, 1);
      c.mmu.probeRead(area, size);
    }
    return area;
  }

  // The XSAVE family.

  @Meaning("XSAVE")
  public static void xsave(Cpu c, Insn i) {
    save(c, i, false);
  }

  @Meaning("XSAVEOPT")
  public static void xsaveopt(Cpu c, Insn i) {
    save(c, i, true);
  }

  private static void save(Cpu c, Insn i, boolean onlyInUse) {
    long requested = requested(c);
    long area = area(c, i, XSAVE_SIZE, 64, true, XSAVE_SIZE - 1);
    long inUse = inUse(c);
    long saved = onlyInUse ? requested & inUse : requested;
    long old = c.mmu.load64(area + XSTATE_BV);
    if ((saved & X87_STATE) != 0) {
      saveX87(c, area, i.operandSize == 64);
    }
    if ((saved & SSE_STATE) != 0) {
      saveXmm(c, area);
    }
    if ((requested & (SSE_STATE | AVX_STATE)) != 0) {
      saveMxcsr(c, area);
    }
    c.mmu.store64(area + XSTATE_BV, (old & ~requested) | (inUse & requested));
  }

  @Meaning({"XSAVEC", "XSAVES"})
  public static void xsavec(Cpu c, Insn i) {
    long requested = requested(c);
    long area = area(c, i, XSAVE_SIZE, 64, true, XSAVE_SIZE - 1);
    long saved = requested & inUse(c);
    if (c.mxcsr != INITIAL_MXCSR) {
      saved |= requested & SSE_STATE;
    }
    if ((saved & X87_STATE) != 0) {
      saveX87(c, area, i.operandSize == 64);
    }
    if ((saved & SSE_STATE) != 0) {
      saveXmm(c, area);
      saveMxcsr(c, area);
    }
    c.mmu.store64(area + XSTATE_BV, saved);
    c.mmu.store64(area + XCOMP_BV, requested | COMPACTED);
  }

  @Meaning(value = "XRSTOR", flow = Flow.END)
  public static void xrstor(Cpu c, Insn i) {
    restore(c, i, false);
  }

  @Meaning(value = "XRSTORS", flow = Flow.END)
  public static void xrstors(Cpu c, Insn i) {
    restore(c, i, true);
  }

  private static void restore(Cpu c, Insn i, boolean onlyCompacted) {
    long requested = requested(c);
    long area = area(c, i, XSAVE_SIZE, 64, false, XCOMP_BV);
    long present = c.mmu.load64(area + XSTATE_BV);
    long format = c.mmu.load64(area + XCOMP_BV);
    boolean compacted = format < 0;
    checkHeader(c, area, present, format, onlyCompacted);
    boolean loadMxcsr =
        compacted
            ? (requested & present & SSE_STATE) != 0
            : (requested & (SSE_STATE | AVX_STATE)) != 0;
    if (loadMxcsr) {
      loadMxcsr(c, area);
    } else if (compacted && (requested & SSE_STATE) != 0) {
      c.mxcsr = INITIAL_MXCSR;
    }
    if ((requested & X87_STATE) != 0) {
      if ((present & X87_STATE) != 0) {
        loadX87(c, area, i.operandSize == 64);
      } else {
        initializeX87(c.x87);
      }
      c.x87.releaseErrorLine(c);
    }
    if ((requested & SSE_STATE) != 0) {
      if ((present & SSE_STATE) != 0) {
        loadXmm(c, area);
      } else {
        Arrays.fill(c.xmm, 0, 2 * xmmRegisters(c), 0);
      }
    }
  }

  /** #GP for a header that 13.8.1 and 13.12 do not allow. */
  private static void checkHeader(
      Cpu c, long area, long present, long format, boolean onlyCompacted) {
    boolean compacted = format < 0;
    boolean bad =
        compacted
            ? (format & ~COMPACTED & ~c.xcr0) != 0 || (present & ~format) != 0
            : onlyCompacted || format != 0 || (present & ~c.xcr0) != 0;
    // The standard form checks bytes 23 to 8 of the header, the compacted one bytes 63 to 16.
    int end = compacted ? HEADER_SIZE : 24;
    for (int n = 16; n < end && !bad; n += 8) {
      bad = c.mmu.load64(area + LEGACY_SIZE + n) != 0;
    }
    if (bad) {
      throw c.fault(Fault.GP, 0);
    }
  }

  private static long requested(Cpu c) {
    return (c.gpr[Cpu.RDX] << 32 | (c.gpr[Cpu.RAX] & 0xFFFF_FFFFL)) & c.xcr0;
  }

  /** XINUSE: what differs from the initial state of 13.6. */
  private static long inUse(Cpu c) {
    long inUse = x87InUse(c.x87) ? X87_STATE : 0;
    long bits = 0;
    for (int n = 0; n < 32; n++) {
      bits |= c.xmm[n];
    }
    return bits != 0 ? inUse | SSE_STATE : inUse;
  }

  private static boolean x87InUse(X87 x) {
    if (x.control != X87.INITIAL_CONTROL || x.statusWord() != 0 || x.used != 0) {
      return true;
    }
    long bits = x.instructionPointer | x.dataPointer | x.opcode;
    for (int n = 0; n < 8; n++) {
      bits |= x.significand[n] | x.exponent[n];
    }
    return bits != 0;
  }

  private static void initializeX87(X87 x) {
    x.initialize();
    Arrays.fill(x.significand, 0);
    Arrays.fill(x.exponent, 0);
  }

  // The components.

  private static void saveX87(Cpu c, long area, boolean wide) {
    X87 x = c.x87;
    c.mmu.store32(area, x.control | x.statusWord() << 16);
    c.mmu.store32(area + 4, x.used | x.opcode << (8 * (OPCODE - 4)));
    c.mmu.store64(
        area + INSTRUCTION, wide ? x.instructionPointer : x.instructionPointer & 0xFFFF_FFFFL);
    c.mmu.store64(area + DATA, wide ? x.dataPointer : x.dataPointer & 0xFFFF_FFFFL);
    for (int n = 0; n < 8; n++) {
      int r = x.physical(n);
      c.mmu.store128(area + REGISTERS + 16L * n, x.significand[r], x.exponent[r]);
    }
  }

  private static void loadX87(Cpu c, long area, boolean wide) {
    X87 x = c.x87;
    int words = (int) c.mmu.load32(area);
    int tags = (int) c.mmu.load32(area + 4);
    x.setControlWord(words & 0xFFFF);
    x.setStatusWord(words >>> 16);
    x.used = tags & 0xFF;
    x.opcode = tags >>> (8 * (OPCODE - 4)) & 0x7FF;
    x.instructionPointer =
        wide ? c.mmu.load64(area + INSTRUCTION) : c.mmu.load32(area + INSTRUCTION);
    x.dataPointer = wide ? c.mmu.load64(area + DATA) : c.mmu.load32(area + DATA);
    for (int n = 0; n < 8; n++) {
      int r = x.physical(n);
      x.significand[r] = c.mmu.load64(area + REGISTERS + 16L * n);
      x.exponent[r] = (int) c.mmu.load16(area + REGISTERS + 16L * n + 8);
    }
  }

  /** Eight outside 64-bit mode: the rest of the area is not touched, nor are the registers. */
  private static int xmmRegisters(Cpu c) {
    return (c.mode & Mode.CODE_64) != 0 ? 16 : 8;
  }

  private static void saveXmm(Cpu c, long area) {
    for (int n = 0; n < xmmRegisters(c); n++) {
      c.mmu.store128(area + XMM + 16L * n, c.xmm[2 * n], c.xmm[2 * n + 1]);
    }
  }

  private static void loadXmm(Cpu c, long area) {
    for (int n = 0; n < xmmRegisters(c); n++) {
      c.mmu.load128(area + XMM + 16L * n, c.xmm, 2 * n);
    }
  }

  private static void saveMxcsr(Cpu c, long area) {
    c.mmu.store64(area + MXCSR, Lanes.dwords(c.mxcsr, SseMove.MXCSR_MASK));
  }

  private static void loadMxcsr(Cpu c, long area) {
    int value = (int) c.mmu.load32(area + MXCSR);
    if ((value & ~SseMove.MXCSR_MASK) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    c.mxcsr = value;
  }
}
