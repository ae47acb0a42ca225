package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * Packed integer shifts, horizontal operations, packing and unpacking of SSE2, SSSE3 and SSE4.1, on
 * XMM slots.
 */
public final class SsePack {
  private SsePack() {}

  @Meaning("PSLLW")
  public static void psllw(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftLeftWords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftLeftWords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSLLW_I")
  public static void psllwImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftLeftWords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftLeftWords(c.xmm[to + 1], count);
  }

  @Meaning("PSLLD")
  public static void pslld(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftLeftDwords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftLeftDwords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSLLD_I")
  public static void pslldImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftLeftDwords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftLeftDwords(c.xmm[to + 1], count);
  }

  @Meaning("PSLLQ")
  public static void psllq(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftLeftQword(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftLeftQword(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSLLQ_I")
  public static void psllqImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftLeftQword(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftLeftQword(c.xmm[to + 1], count);
  }

  @Meaning("PSRLW")
  public static void psrlw(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftRightWords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftRightWords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSRLW_I")
  public static void psrlwImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftRightWords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftRightWords(c.xmm[to + 1], count);
  }

  @Meaning("PSRLD")
  public static void psrld(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftRightDwords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftRightDwords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSRLD_I")
  public static void psrldImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftRightDwords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftRightDwords(c.xmm[to + 1], count);
  }

  @Meaning("PSRLQ")
  public static void psrlq(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftRightQword(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftRightQword(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSRLQ_I")
  public static void psrlqImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftRightQword(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftRightQword(c.xmm[to + 1], count);
  }

  @Meaning("PSRAW")
  public static void psraw(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftArithmeticWords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftArithmeticWords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSRAW_I")
  public static void psrawImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftArithmeticWords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftArithmeticWords(c.xmm[to + 1], count);
  }

  @Meaning("PSRAD")
  public static void psrad(Cpu c, int to, int from) {
    long count = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.shiftArithmeticDwords(c.xmm[2 * to], count);
    c.xmm[2 * to + 1] = Lanes.shiftArithmeticDwords(c.xmm[2 * to + 1], count);
  }

  @Meaning("PSRAD_I")
  public static void psradImmediate(Cpu c, Insn i) {
    int to = 2 * i.rm;
    long count = i.immediate & 0xFF;
    c.xmm[to] = Lanes.shiftArithmeticDwords(c.xmm[to], count);
    c.xmm[to + 1] = Lanes.shiftArithmeticDwords(c.xmm[to + 1], count);
  }

  @Meaning("PHADDW")
  public static void phaddw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.addPairsOfWords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.addPairsOfWords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PHADDSW")
  public static void phaddsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.addPairsOfWordsSaturated(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.addPairsOfWordsSaturated(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PHADDD")
  public static void phaddd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.addPairsOfDwords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.addPairsOfDwords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PHSUBW")
  public static void phsubw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.subPairsOfWords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.subPairsOfWords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PHSUBSW")
  public static void phsubsw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.subPairsOfWordsSaturated(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.subPairsOfWordsSaturated(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PHSUBD")
  public static void phsubd(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.subPairsOfDwords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.subPairsOfDwords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PACKSSWB")
  public static void packsswb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.packSignedWords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.packSignedWords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PACKSSDW")
  public static void packssdw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.packSignedDwords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.packSignedDwords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PACKUSWB")
  public static void packuswb(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.packUnsignedWords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.packUnsignedWords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PACKUSDW")
  public static void packusdw(Cpu c, int to, int from) {
    long[] x = c.xmm;
    long low = Lanes.packUnsignedDwords(x[2 * to], x[2 * to + 1]);
    x[2 * to + 1] = Lanes.packUnsignedDwords(x[2 * from], x[2 * from + 1]);
    x[2 * to] = low;
  }

  @Meaning("PUNPCKLBW")
  public static void punpcklbw(Cpu c, int to, int from) {
    long a = c.xmm[2 * to];
    long b = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.interleaveBytes(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveBytes(a >>> 32, b >>> 32);
  }

  @Meaning("PUNPCKHBW")
  public static void punpckhbw(Cpu c, int to, int from) {
    long a = c.xmm[2 * to + 1];
    long b = c.xmm[2 * from + 1];
    c.xmm[2 * to] = Lanes.interleaveBytes(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveBytes(a >>> 32, b >>> 32);
  }

  @Meaning("PUNPCKLWD")
  public static void punpcklwd(Cpu c, int to, int from) {
    long a = c.xmm[2 * to];
    long b = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.interleaveWords(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveWords(a >>> 32, b >>> 32);
  }

  @Meaning("PUNPCKHWD")
  public static void punpckhwd(Cpu c, int to, int from) {
    long a = c.xmm[2 * to + 1];
    long b = c.xmm[2 * from + 1];
    c.xmm[2 * to] = Lanes.interleaveWords(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveWords(a >>> 32, b >>> 32);
  }

  @Meaning("PUNPCKLDQ")
  public static void punpckldq(Cpu c, int to, int from) {
    long a = c.xmm[2 * to];
    long b = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.interleaveDwords(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveDwords(a >>> 32, b >>> 32);
  }

  @Meaning("PUNPCKHDQ")
  public static void punpckhdq(Cpu c, int to, int from) {
    long a = c.xmm[2 * to + 1];
    long b = c.xmm[2 * from + 1];
    c.xmm[2 * to] = Lanes.interleaveDwords(a, b);
    c.xmm[2 * to + 1] = Lanes.interleaveDwords(a >>> 32, b >>> 32);
  }
}
