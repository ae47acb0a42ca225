package dev.troupe.runtime.cpu;

/** DR0 to DR7: breakpoints and single step (Intel SDM vol. 3B, 17.2 and 17.3). */
public final class DebugRegisters {
  /** DR6 as reset leaves it: no cause, the reserved bits one. */
  public static final long DR6_INITIAL = 0xFFFF_0FF0L;

  /** DR7 as reset leaves it. */
  public static final long DR7_INITIAL = 0x400;

  private static final long ENABLES = 0xFF;

  private final Cpu cpu;

  DebugRegisters(Cpu cpu) {
    this.cpu = cpu;
  }

  /** True if a DR7 value enables any breakpoint, local or global. */
  static boolean enabled(long dr7) {
    return (dr7 & ENABLES) != 0;
  }

  void reset() {
    for (int i = 0; i < 4; i++) {
      cpu.dr[i] = 0;
    }
    cpu.dr[6] = DR6_INITIAL;
    cpu.dr[7] = DR7_INITIAL;
  }
}
