package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** MMX instructions that work lane by lane, those of SSE, SSE2 and SSSE3 included. */
public final class MmxLanes {
  private MmxLanes() {}

  /** An MMX instruction's end: its result, and what it does to the x87 state. */
  static void set(Cpu c, int to, long value) {
    c.x87.checkPending(c);
    c.x87.setMmx(to, value);
    c.x87.enterMmx();
  }

  @Meaning("PADDB_MMX")
  public static void paddb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.add(a, b, Lanes.BYTES));
  }

  @Meaning("PADDW_MMX")
  public static void paddw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.add(a, b, Lanes.WORDS));
  }

  @Meaning("PADDD_MMX")
  public static void paddd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.add(a, b, Lanes.DWORDS));
  }

  @Meaning("PADDQ_MMX")
  public static void paddq(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, a + b);
  }

  @Meaning("PSUBB_MMX")
  public static void psubb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sub(a, b, Lanes.BYTES));
  }

  @Meaning("PSUBW_MMX")
  public static void psubw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sub(a, b, Lanes.WORDS));
  }

  @Meaning("PSUBD_MMX")
  public static void psubd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sub(a, b, Lanes.DWORDS));
  }

  @Meaning("PSUBQ_MMX")
  public static void psubq(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, a - b);
  }

  @Meaning("PADDSB_MMX")
  public static void paddsb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.addSaturated(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PADDSW_MMX")
  public static void paddsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.addSaturated(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PADDUSB_MMX")
  public static void paddusb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.addSaturatedUnsigned(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PADDUSW_MMX")
  public static void paddusw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.addSaturatedUnsigned(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PSUBSB_MMX")
  public static void psubsb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.subSaturated(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PSUBSW_MMX")
  public static void psubsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.subSaturated(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PSUBUSB_MMX")
  public static void psubusb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.subSaturatedUnsigned(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PSUBUSW_MMX")
  public static void psubusw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.subSaturatedUnsigned(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PAVGB_MMX")
  public static void pavgb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.average(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PAVGW_MMX")
  public static void pavgw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.average(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PMULLW_MMX")
  public static void pmullw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyLow(a, b));
  }

  @Meaning("PMULHW_MMX")
  public static void pmulhw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyHigh(a, b));
  }

  @Meaning("PMULHUW_MMX")
  public static void pmulhuw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyHighUnsigned(a, b));
  }

  @Meaning("PMULUDQ_MMX")
  public static void pmuludq(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.low((int) a) * Lanes.low((int) b));
  }

  @Meaning("PMADDWD_MMX")
  public static void pmaddwd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyAdd(a, b));
  }

  @Meaning("PSADBW_MMX")
  public static void psadbw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sumOfDifferences(a, b));
  }

  @Meaning("PMAXUB_MMX")
  public static void pmaxub(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.maxUnsigned(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PMINUB_MMX")
  public static void pminub(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.minUnsigned(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PMAXSW_MMX")
  public static void pmaxsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.max(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PMINSW_MMX")
  public static void pminsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.min(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PCMPEQB_MMX")
  public static void pcmpeqb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.equal(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PCMPEQW_MMX")
  public static void pcmpeqw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.equal(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PCMPEQD_MMX")
  public static void pcmpeqd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.equal(a, b, Lanes.DWORDS, 32));
  }

  @Meaning("PCMPGTB_MMX")
  public static void pcmpgtb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.greater(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PCMPGTW_MMX")
  public static void pcmpgtw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.greater(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PCMPGTD_MMX")
  public static void pcmpgtd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.greater(a, b, Lanes.DWORDS, 32));
  }

  @Meaning("PAND_MMX")
  public static void pand(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, a & b);
  }

  @Meaning("PANDN_MMX")
  public static void pandn(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, ~a & b);
  }

  @Meaning("POR_MMX")
  public static void por(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, a | b);
  }

  @Meaning("PXOR_MMX")
  public static void pxor(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, a ^ b);
  }

  @Meaning("PMULHRSW_MMX")
  public static void pmulhrsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyHighRounded(a, b));
  }

  @Meaning("PMADDUBSW_MMX")
  public static void pmaddubsw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.multiplyAddBytes(a, b));
  }

  @Meaning("PSIGNB_MMX")
  public static void psignb(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sign(a, b, Lanes.BYTES, 8));
  }

  @Meaning("PSIGNW_MMX")
  public static void psignw(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sign(a, b, Lanes.WORDS, 16));
  }

  @Meaning("PSIGND_MMX")
  public static void psignd(Cpu c, int to, int from) {
    long a = c.x87.significand[to];
    long b = c.x87.significand[from];
    set(c, to, Lanes.sign(a, b, Lanes.DWORDS, 32));
  }

  @Meaning("PABSB_MMX")
  public static void pabsb(Cpu c, int to, int from) {
    long b = c.x87.significand[from];
    set(c, to, Lanes.absolute(b, Lanes.BYTES, 8));
  }

  @Meaning("PABSW_MMX")
  public static void pabsw(Cpu c, int to, int from) {
    long b = c.x87.significand[from];
    set(c, to, Lanes.absolute(b, Lanes.WORDS, 16));
  }

  @Meaning("PABSD_MMX")
  public static void pabsd(Cpu c, int to, int from) {
    long b = c.x87.significand[from];
    set(c, to, Lanes.absolute(b, Lanes.DWORDS, 32));
  }
}
