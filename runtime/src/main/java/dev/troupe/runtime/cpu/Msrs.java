package dev.troupe.runtime.cpu;

/** Model-specific registers that live in the vCPU. */
public final class Msrs {
  public static final long EFER_SCE = 1L;
  public static final long EFER_LME = 1L << 8;
  public static final long EFER_LMA = 1L << 10;
  public static final long EFER_NXE = 1L << 11;

  private final Cpu cpu;

  /** Guest TSC minus virtual nanoseconds. */
  private long tscOffset;

  Msrs(Cpu cpu) {
    this.cpu = cpu;
  }

  long tsc() {
    return cpu.time.nanos() + tscOffset;
  }

  void reset() {
    tscOffset = -cpu.time.nanos();
  }

  void init() {}

  /** True if the model has the x2APIC. */
  boolean hasX2apic() {
    return true;
  }
}
