package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/** MMX shifts, horizontal operations, packing and unpacking. */
public final class MmxPack {
  private MmxPack() {}

  @Meaning("PSLLW_MMX")
  public static void psllw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftLeftWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSLLW_MMX_I")
  public static void psllwImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftLeftWords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSLLD_MMX")
  public static void pslld(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftLeftDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSLLD_MMX_I")
  public static void pslldImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftLeftDwords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSLLQ_MMX")
  public static void psllq(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftLeftQword(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSLLQ_MMX_I")
  public static void psllqImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftLeftQword(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSRLW_MMX")
  public static void psrlw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftRightWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSRLW_MMX_I")
  public static void psrlwImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftRightWords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSRLD_MMX")
  public static void psrld(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftRightDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSRLD_MMX_I")
  public static void psrldImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftRightDwords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSRLQ_MMX")
  public static void psrlq(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftRightQword(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSRLQ_MMX_I")
  public static void psrlqImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftRightQword(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSRAW_MMX")
  public static void psraw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.shiftArithmeticWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSRAW_MMX_I")
  public static void psrawImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftArithmeticWords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PSRAD_MMX")
  public static void psrad(Cpu c, int to, int from) {
    MmxLanes.set(
        c, to, Lanes.shiftArithmeticDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PSRAD_MMX_I")
  public static void psradImmediate(Cpu c, Insn i) {
    MmxLanes.set(
        c, i.rm & 7, Lanes.shiftArithmeticDwords(c.x87.significand[i.rm & 7], i.immediate & 0xFF));
  }

  @Meaning("PHADDW_MMX")
  public static void phaddw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.addPairsOfWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PHADDSW_MMX")
  public static void phaddsw(Cpu c, int to, int from) {
    MmxLanes.set(
        c, to, Lanes.addPairsOfWordsSaturated(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PHADDD_MMX")
  public static void phaddd(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.addPairsOfDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PHSUBW_MMX")
  public static void phsubw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.subPairsOfWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PHSUBSW_MMX")
  public static void phsubsw(Cpu c, int to, int from) {
    MmxLanes.set(
        c, to, Lanes.subPairsOfWordsSaturated(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PHSUBD_MMX")
  public static void phsubd(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.subPairsOfDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PACKSSWB_MMX")
  public static void packsswb(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.packSignedWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PACKSSDW_MMX")
  public static void packssdw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.packSignedDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PACKUSWB_MMX")
  public static void packuswb(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.packUnsignedWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PUNPCKLBW_MMX")
  public static void punpcklbw(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.interleaveBytes(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PUNPCKHBW_MMX")
  public static void punpckhbw(Cpu c, int to, int from) {
    MmxLanes.set(
        c, to, Lanes.interleaveBytes(c.x87.significand[to] >>> 32, c.x87.significand[from] >>> 32));
  }

  @Meaning("PUNPCKLWD_MMX")
  public static void punpcklwd(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.interleaveWords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PUNPCKHWD_MMX")
  public static void punpckhwd(Cpu c, int to, int from) {
    MmxLanes.set(
        c, to, Lanes.interleaveWords(c.x87.significand[to] >>> 32, c.x87.significand[from] >>> 32));
  }

  @Meaning("PUNPCKLDQ_MMX")
  public static void punpckldq(Cpu c, int to, int from) {
    MmxLanes.set(c, to, Lanes.interleaveDwords(c.x87.significand[to], c.x87.significand[from]));
  }

  @Meaning("PUNPCKHDQ_MMX")
  public static void punpckhdq(Cpu c, int to, int from) {
    MmxLanes.set(
        c,
        to,
        Lanes.interleaveDwords(c.x87.significand[to] >>> 32, c.x87.significand[from] >>> 32));
  }
}
