package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** PMOVSX and PMOVZX, SSE4.1: the low lanes, widened. */
public final class SseWiden {
  private SseWiden() {}

  @Meaning("PMOVSXBW")
  public static void pmovsxbw(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.words((byte) a, (byte) (a >> 8), (byte) (a >> 16), (byte) (a >> 24));
    c.xmm[2 * to + 1] =
        Lanes.words((byte) (a >> 32), (byte) (a >> 40), (byte) (a >> 48), (byte) (a >> 56));
  }

  @Meaning("PMOVSXBD")
  public static void pmovsxbd(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.dwords((byte) a, (byte) (a >> 8));
    c.xmm[2 * to + 1] = Lanes.dwords((byte) (a >> 16), (byte) (a >> 24));
  }

  @Meaning("PMOVSXBQ")
  public static void pmovsxbq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = (byte) a;
    c.xmm[2 * to + 1] = (byte) (a >> 8);
  }

  @Meaning("PMOVSXWD")
  public static void pmovsxwd(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.dwords((short) a, (short) (a >> 16));
    c.xmm[2 * to + 1] = Lanes.dwords((short) (a >> 32), (short) (a >> 48));
  }

  @Meaning("PMOVSXWQ")
  public static void pmovsxwq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = (short) a;
    c.xmm[2 * to + 1] = (short) (a >> 16);
  }

  @Meaning("PMOVSXDQ")
  public static void pmovsxdq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = (int) a;
    c.xmm[2 * to + 1] = (int) (a >> 32);
  }

  @Meaning("PMOVZXBW")
  public static void pmovzxbw(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] =
        Lanes.words(
            (int) a & 0xFF, (int) (a >> 8) & 0xFF, (int) (a >> 16) & 0xFF, (int) (a >> 24) & 0xFF);
    c.xmm[2 * to + 1] =
        Lanes.words(
            (int) (a >> 32) & 0xFF,
            (int) (a >> 40) & 0xFF,
            (int) (a >> 48) & 0xFF,
            (int) (a >> 56) & 0xFF);
  }

  @Meaning("PMOVZXBD")
  public static void pmovzxbd(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.dwords((int) a & 0xFF, (int) (a >> 8) & 0xFF);
    c.xmm[2 * to + 1] = Lanes.dwords((int) (a >> 16) & 0xFF, (int) (a >> 24) & 0xFF);
  }

  @Meaning("PMOVZXBQ")
  public static void pmovzxbq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = (int) a & 0xFF;
    c.xmm[2 * to + 1] = (int) (a >> 8) & 0xFF;
  }

  @Meaning("PMOVZXWD")
  public static void pmovzxwd(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = Lanes.dwords((int) a & 0xFFFF, (int) (a >> 16) & 0xFFFF);
    c.xmm[2 * to + 1] = Lanes.dwords((int) (a >> 32) & 0xFFFF, (int) (a >> 48) & 0xFFFF);
  }

  @Meaning("PMOVZXWQ")
  public static void pmovzxwq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = (int) a & 0xFFFF;
    c.xmm[2 * to + 1] = (int) (a >> 16) & 0xFFFF;
  }

  @Meaning("PMOVZXDQ")
  public static void pmovzxdq(Cpu c, int to, int from) {
    long a = c.xmm[2 * from];
    c.xmm[2 * to] = a & 0xFFFF_FFFFL;
    c.xmm[2 * to + 1] = a >>> 32 & 0xFFFF_FFFFL;
  }
}
