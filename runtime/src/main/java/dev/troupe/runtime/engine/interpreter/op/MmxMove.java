package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/** Moves and shuffles of MMX registers (SDM vol. 2). */
public final class MmxMove {
  private MmxMove() {}

  private static long mm(Cpu c, int slot) {
    return c.x87.significand[slot];
  }

  @Meaning("MOVQ_MMX")
  public static void movq(Cpu c, int to, int from) {
    MmxLanes.set(c, to, mm(c, from));
  }

  @Meaning("MOVD_TO_MMX")
  public static void movdToMmx(Cpu c, Insn i) {
    c.x87.checkPending(c);
    MmxLanes.set(c, i.reg & 7, Operands.load(c, i, SseMove.wide(i)));
  }

  @Meaning("MOVD_FROM_MMX")
  public static void movdFromMmx(Cpu c, Insn i) {
    c.x87.checkPending(c);
    Operands.store(c, i, SseMove.wide(i), mm(c, i.reg & 7));
    c.x87.enterMmx();
  }

  @Meaning("MOVQ2DQ")
  public static void movq2dq(Cpu c, int to, int from) {
    c.x87.checkPending(c);
    c.xmm[2 * to] = mm(c, from);
    c.xmm[2 * to + 1] = 0;
    c.x87.enterMmx();
  }

  @Meaning("MOVDQ2Q")
  public static void movdq2q(Cpu c, int to, int from) {
    MmxLanes.set(c, to, c.xmm[2 * from]);
  }

  @Meaning("EMMS")
  public static void emms(Cpu c, Insn i) {
    c.x87.checkPending(c);
    c.x87.top = 0;
    c.x87.used = 0;
  }

  @Meaning("PSHUFW_MMX")
  public static void pshufw(Cpu c, int to, int from, int order) {
    MmxLanes.set(c, to, Lanes.shuffleWords(mm(c, from), order));
  }

  @Meaning("PSHUFB_MMX")
  public static void pshufb(Cpu c, int to, int from) {
    long a = mm(c, to);
    long order = mm(c, from);
    long r = 0;
    for (int n = 0; n < 64; n += 8) {
      int index = (int) (order >>> n);
      r |= (a >>> (8 * (index & 7)) & 0xFF & ~((byte) index >> 7)) << n;
    }
    MmxLanes.set(c, to, r);
  }

  @Meaning("PALIGNR_MMX")
  public static void palignr(Cpu c, int to, int from, int count) {
    int bytes = count & 0xFF;
    long low = mm(c, from);
    long high = mm(c, to);
    int shift = 8 * (bytes & 7);
    MmxLanes.set(
        c, to, bytes < 8 ? SseShuffle.funnel(low, high, shift) : bytes < 16 ? high >>> shift : 0);
  }

  @Meaning("PINSRW_MMX")
  public static void pinsrw(Cpu c, Insn i) {
    c.x87.checkPending(c);
    long value = i.memory ? Operands.load(c, i, 16) : c.gpr[i.rm];
    int shift = 16 * ((int) i.immediate & 3);
    long mask = 0xFFFFL << shift;
    MmxLanes.set(c, i.reg & 7, (mm(c, i.reg & 7) & ~mask) | (value << shift & mask));
  }

  @Meaning("PEXTRW_MMX")
  public static void pextrw(Cpu c, Insn i) {
    c.x87.checkPending(c);
    c.gpr[i.reg] = Lanes.wordUnsigned(mm(c, i.rm & 7), (int) i.immediate & 3);
    c.x87.enterMmx();
  }

  @Meaning("PMOVMSKB_MMX")
  public static void pmovmskb(Cpu c, Insn i) {
    c.x87.checkPending(c);
    c.gpr[i.reg] = Lanes.signs(mm(c, i.rm & 7));
    c.x87.enterMmx();
  }

  @Meaning("MASKMOVQ_MMX")
  public static void maskmovq(Cpu c, Insn i) {
    c.x87.checkPending(c);
    SseMove.storeMasked(c, i, mm(c, i.reg & 7), 0, Lanes.signs(mm(c, i.rm & 7)));
    c.x87.enterMmx();
  }
}
