package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.host.HostMath;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.engine.host.PortableMath;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.memory.Raw;

/**
 * RCPPS, RSQRTPS and their scalar forms: host-defined results (SDM vol. 2). They raise no
 * exceptions.
 */
public final class SseApproximate {
  private SseApproximate() {}

  @Meaning("RCPPS")
  public static void rcpps(Cpu c, int to, int from) {
    packed(c, to, from, HostMath.RCPPS);
  }

  @Meaning("RSQRTPS")
  public static void rsqrtps(Cpu c, int to, int from) {
    packed(c, to, from, HostMath.RSQRTPS);
  }

  @Meaning("RCPSS")
  public static void rcpss(Cpu c, int to, int from) {
    SseArithmetic.setSingle(c, to, (int) pair(c, c.xmm[2 * from], 0, HostMath.RCPPS));
  }

  @Meaning("RSQRTSS")
  public static void rsqrtss(Cpu c, int to, int from) {
    SseArithmetic.setSingle(c, to, (int) pair(c, c.xmm[2 * from], 0, HostMath.RSQRTPS));
  }

  private static void packed(Cpu c, int to, int from, int opcode) {
    long low = pair(c, c.xmm[2 * from], c.xmm[2 * from + 1], opcode);
    c.xmm[2 * to + 1] =
        HostStub.available()
            ? Raw.get64(c.x87.hostBlock(HostMath.BLOCK_SIZE) + 8)
            : portable(c.xmm[2 * from + 1], opcode);
    c.xmm[2 * to] = low;
  }

  /** The low two results; on a host with stubs the high two stay in the block. */
  private static long pair(Cpu c, long low, long high, int opcode) {
    if (!HostStub.available()) {
      return portable(low, opcode);
    }
    long block = c.x87.hostBlock(HostMath.BLOCK_SIZE);
    Raw.put64(block, low);
    Raw.put64(block + 8, high);
    HostMath.packed(opcode, block);
    return Raw.get64(block);
  }

  private static long portable(long pair, int opcode) {
    return Lanes.dwords(
        PortableMath.approximation(opcode, (int) pair),
        PortableMath.approximation(opcode, (int) (pair >> 32)));
  }
}
