package dev.troupe.runtime.cpu;

/**
 * The local APIC's registers by their offsets in its page, and their bits (Intel SDM vol. 3A,
 * chapter 11): which there are, and what of them can be written, in the page and as MSRs.
 */
public final class ApicRegisters {
  public static final int ID = 0x20;
  public static final int VERSION = 0x30;
  public static final int TPR = 0x80;
  public static final int APR = 0x90;
  public static final int PPR = 0xA0;
  public static final int EOI = 0xB0;
  public static final int LDR = 0xD0;
  public static final int DFR = 0xE0;
  public static final int SVR = 0xF0;
  public static final int ISR = 0x100;
  public static final int TMR = 0x180;
  public static final int IRR = 0x200;
  public static final int ESR = 0x280;
  public static final int ICR = 0x300;
  public static final int ICR_HIGH = 0x310;
  public static final int LVT_TIMER = 0x320;
  public static final int LVT_THERMAL = 0x330;
  public static final int LVT_PERFORMANCE = 0x340;
  public static final int LVT_LINT0 = 0x350;
  public static final int LVT_LINT1 = 0x360;
  public static final int LVT_ERROR = 0x370;
  public static final int INITIAL_COUNT = 0x380;
  public static final int CURRENT_COUNT = 0x390;
  public static final int DIVIDE = 0x3E0;
  public static final int SELF_IPI = 0x3F0;

  static final int SVR_ENABLE = 1 << 8;
  static final int SVR_SUPPRESS_EOI = 1 << 12;
  static final int SVR_WRITABLE = 0x13FF;
  static final int LVT_MASKED = 1 << 16;
  static final int LVT_COUNT = 6;
  static final int LOWEST_VECTOR = 16;

  static final int ERROR_SEND_VECTOR = 1 << 5;
  static final int ERROR_RECEIVE_VECTOR = 1 << 6;
  static final int ERROR_REGISTER = 1 << 7;

  static final int ICR_WRITABLE = 0xC_CFFF;

  /** Writable bits of the LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
  static final int[] LVT_WRITABLE = {0x7_00FF, 0x1_07FF, 0x1_07FF, 0x1_A7FF, 0x1_A7FF, 0x1_00FF};

  private ApicRegisters() {}

  /** The number of a local vector table entry, 0 to {@link #LVT_COUNT} - 1. */
  static int index(int lvtRegister) {
    return (lvtRegister - LVT_TIMER) >> 4;
  }

  static boolean exists(int register) {
    return switch (register) {
      case ID, VERSION, TPR, APR, PPR, EOI, LDR, DFR, SVR, ESR, ICR, ICR_HIGH -> true;
      case INITIAL_COUNT, CURRENT_COUNT, DIVIDE -> true;
      default ->
          (register >= ISR && register < ESR) || (register >= LVT_TIMER && register <= LVT_ERROR);
    };
  }

  static boolean readOnly(int register) {
    return register == VERSION
        || register == APR
        || register == PPR
        || register == CURRENT_COUNT
        || (register >= ISR && register < ESR);
  }

  static boolean existsAsMsr(int register) {
    return register == SELF_IPI
        || (register != DFR && register != ICR_HIGH && register != APR && exists(register));
  }

  static long writableAsMsr(int register) {
    return switch (register) {
      case TPR, SELF_IPI -> 0xFF;
      case SVR -> SVR_WRITABLE;
      case ICR -> 0xFFFF_FFFF_0000_0000L | ICR_WRITABLE | 1 << 12;
      case INITIAL_COUNT -> 0xFFFF_FFFFL;
      case DIVIDE -> 0xB;
      case EOI, ESR -> 0;
      // The read-only status bits of an entry may be written, and are ignored.
      default -> LVT_WRITABLE[index(register)] | 0x5000;
    };
  }
}
