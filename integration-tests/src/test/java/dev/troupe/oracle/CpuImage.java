package dev.troupe.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All that one instruction of user code can see or change: what a case starts with, and what it
 * leaves behind.
 */
final class CpuImage {
  /** Memory that is set before and compared after: {@link #WINDOW} bytes at a linear address. */
  record Window(long address, byte[] bytes) {
    Window {
      if (bytes.length != WINDOW) {
        throw new IllegalArgumentException(
            "a window has " + WINDOW + " bytes: length=" + bytes.length);
      }
    }
  }

  static final int WINDOW = 256;
  static final int MAX_WINDOWS = 4;

  /** The legacy FXSAVE area (64-bit form): x87 control and registers, MXCSR, XMM. */
  static final int FX_SIZE = 512;

  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15. */
  final long[] gpr = new long[16];

  long rip;
  long rflags = 0x202;
  int cs = ChildProgram.CS64;
  int ss = ChildProgram.SS64;
  int ds;
  int es;

  /** A case starts with FS and GS null; with bases, which count in 64-bit code. */
  int fs;

  int gs;
  long fsBase;
  long gsBase;

  /** In our own surroundings: limit of FS or GS as a writable data segment; 0 if it is null. */
  long fsLimit;

  long gsLimit;
  final byte[] fx = new byte[FX_SIZE];

  /** In our own surroundings, at the end: FIP and FDP, which processors of AMD's do not save. */
  long x87Instruction;

  long x87Data;
  final List<Window> windows = new ArrayList<>();

  /** Exception vector that ended the case, its error code and, after a page fault, its address. */
  int vector = -1;

  long error;
  long faultAddress;

  CpuImage() {
    fx[0] = 0x7F; // FCW 0x037F: all masked, 64-bit precision
    fx[1] = 0x03;
    fx[24] = (byte) 0x80; // MXCSR 0x1F80: all masked
    fx[25] = 0x1F;
  }

  CpuImage copy() {
    var copy = new CpuImage();
    System.arraycopy(gpr, 0, copy.gpr, 0, gpr.length);
    copy.rip = rip;
    copy.rflags = rflags;
    copy.cs = cs;
    copy.ss = ss;
    copy.ds = ds;
    copy.es = es;
    copy.fs = fs;
    copy.gs = gs;
    copy.fsBase = fsBase;
    copy.gsBase = gsBase;
    copy.fsLimit = fsLimit;
    copy.gsLimit = gsLimit;
    System.arraycopy(fx, 0, copy.fx, 0, fx.length);
    copy.x87Instruction = x87Instruction;
    copy.x87Data = x87Data;
    for (Window w : windows) {
      copy.windows.add(new Window(w.address(), Arrays.copyOf(w.bytes(), WINDOW)));
    }
    copy.vector = vector;
    copy.error = error;
    copy.faultAddress = faultAddress;
    return copy;
  }

  /** Everything but the floating-point state, on one line. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    if (vector >= 0) {
      text.append("vector %d error %x cr2 %x ".formatted(vector, error, faultAddress));
    }
    text.append("rip %x rflags %x cs %x ss %x ds %x es %x".formatted(rip, rflags, cs, ss, ds, es));
    for (int r = 0; r < 16; r++) {
      text.append(" %s=%x".formatted(Comparison.NAMES[r], gpr[r]));
    }
    return text.toString();
  }
}
