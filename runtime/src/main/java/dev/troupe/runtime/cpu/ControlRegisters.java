package dev.troupe.runtime.cpu;

/** CR0, CR4, XCR0: their bits, and the rules for changing them (Intel SDM vol. 3A, 2.5). */
public final class ControlRegisters {
  public static final long PE = 1L;
  public static final long MP = 1L << 1;
  public static final long EM = 1L << 2;
  public static final long TS = 1L << 3;
  public static final long ET = 1L << 4;
  public static final long NE = 1L << 5;
  public static final long WP = 1L << 16;
  public static final long AM = 1L << 18;
  public static final long NW = 1L << 29;
  public static final long CD = 1L << 30;
  public static final long PG = 1L << 31;

  public static final long VME = 1L;
  public static final long PVI = 1L << 1;
  public static final long TSD = 1L << 2;
  public static final long DE = 1L << 3;
  public static final long PSE = 1L << 4;
  public static final long PAE = 1L << 5;
  public static final long MCE = 1L << 6;
  public static final long PGE = 1L << 7;
  public static final long PCE = 1L << 8;
  public static final long OSFXSR = 1L << 9;
  public static final long OSXMMEXCPT = 1L << 10;
  public static final long UMIP = 1L << 11;
  public static final long LA57 = 1L << 12;
  public static final long FSGSBASE = 1L << 16;
  public static final long PCIDE = 1L << 17;
  public static final long OSXSAVE = 1L << 18;
  public static final long SMEP = 1L << 20;
  public static final long SMAP = 1L << 21;

  private final Cpu cpu;

  ControlRegisters(Cpu cpu) {
    this.cpu = cpu;
  }

  /** Clears CR0.TS. */
  public void clearTaskSwitched() {
    cpu.cr0 &= ~TS;
    cpu.updateMode();
  }
}
