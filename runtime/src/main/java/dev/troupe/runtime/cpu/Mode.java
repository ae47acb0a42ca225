package dev.troupe.runtime.cpu;

/**
 * The bits of the mode word {@link Cpu#mode}: all state, other than registers, on which decoding an
 * instruction and the choice of its memory accesses depend. A decoded or translated block is valid
 * for one mode word. {@link Cpu#updateMode()} computes it; whatever writes CR0, CR4, EFER, XCR0,
 * DR7, TF, RF, VM, AC, CPL or a segment register calls that.
 */
public final class Mode {
  /** Bits 0 and 1: CPL. */
  public static final int CPL = 3;

  /** Code size: neither bit is 16-bit code. */
  public static final int CODE_32 = 1 << 2;

  /** 64-bit mode: LMA and CS.L. */
  public static final int CODE_64 = 1 << 3;

  /** SS.B: the stack pointer is ESP, not SP. In 64-bit mode clear; there it is always RSP. */
  public static final int STACK_32 = 1 << 4;

  /** CR0.PE is set; with {@link #V86} it is virtual-8086 mode. */
  public static final int PROTECTED = 1 << 5;

  public static final int V86 = 1 << 6;

  /** EFER.LMA: 64-bit or compatibility mode. */
  public static final int LONG = 1 << 7;

  /**
   * ES, SS, DS have base 0 and limit 4 GiB - 1, are present, readable, writable, expand up: no
   * checks needed.
   */
  public static final int FLAT_DATA = 1 << 8;

  /** CS has base 0 and limit 4 GiB - 1. */
  public static final int FLAT_CODE = 1 << 9;

  public static final int TS = 1 << 10;
  public static final int EM = 1 << 11;
  public static final int MP = 1 << 12;
  public static final int OSFXSR = 1 << 13;
  public static final int OSXSAVE = 1 << 14;

  /**
   * EFLAGS.AC: with SMAP, supervisor accesses to user pages are allowed; at CPL 3 with CR0.AM,
   * alignment is checked.
   */
  public static final int AC = 1 << 15;

  /** Alignment checking is on: CR0.AM, EFLAGS.AC and CPL 3. */
  public static final int ALIGNMENT_CHECK = 1 << 16;

  /**
   * Instructions go one at a time, with {@link DebugRegisters} asked before and after each: TF or
   * RF is set, or DR7 enables a breakpoint.
   */
  public static final int SLOW = 1 << 17;

  private static final int DATA_WRITABLE_UP_PRESENT_MASK = 0x9E;
  private static final int DATA_WRITABLE_UP_PRESENT = 0x92;

  private Mode() {}

  static int of(Cpu c) {
    int mode = c.cpl;
    boolean protectedMode = (c.cr0 & ControlRegisters.PE) != 0;
    boolean v86 = protectedMode && (c.systemFlags & Rflags.VM) != 0;
    boolean longMode = (c.efer & Msrs.EFER_LMA) != 0;
    int cs = c.segmentAttributes[Cpu.CS];
    if (protectedMode) {
      mode |= PROTECTED;
    }
    if (v86) {
      mode |= V86;
    }
    if (longMode) {
      mode |= LONG;
    }
    if (longMode && (cs & Cpu.ATTRIBUTE_L) != 0) {
      mode |= CODE_64;
    } else {
      if ((cs & Cpu.ATTRIBUTE_DB) != 0) {
        mode |= CODE_32;
      }
      if ((c.segmentAttributes[Cpu.SS] & Cpu.ATTRIBUTE_DB) != 0) {
        mode |= STACK_32;
      }
      if (flat(c, Cpu.ES) && flat(c, Cpu.SS) && flat(c, Cpu.DS)) {
        mode |= FLAT_DATA;
      }
      if (c.segmentBase[Cpu.CS] == 0 && c.segmentLimit[Cpu.CS] == 0xFFFF_FFFFL) {
        mode |= FLAT_CODE;
      }
    }
    if ((c.cr0 & ControlRegisters.TS) != 0) {
      mode |= TS;
    }
    if ((c.cr0 & ControlRegisters.EM) != 0) {
      mode |= EM;
    }
    if ((c.cr0 & ControlRegisters.MP) != 0) {
      mode |= MP;
    }
    if ((c.cr4 & ControlRegisters.OSFXSR) != 0) {
      mode |= OSFXSR;
    }
    if ((c.cr4 & ControlRegisters.OSXSAVE) != 0) {
      mode |= OSXSAVE;
    }
    if ((c.systemFlags & Rflags.AC) != 0) {
      mode |= AC;
      if (c.cpl == 3 && (c.cr0 & ControlRegisters.AM) != 0) {
        mode |= ALIGNMENT_CHECK;
      }
    }
    if ((c.systemFlags & (Rflags.TF | Rflags.RF)) != 0 || DebugRegisters.enabled(c.dr[7])) {
      mode |= SLOW;
    }
    return mode;
  }

  private static boolean flat(Cpu c, int segment) {
    return c.segmentBase[segment] == 0 && unlimited(c, segment);
  }

  /**
   * Whether a data segment has limit 4 GiB - 1, is present, readable, writable, expands up: outside
   * 64-bit mode only its base counts then.
   */
  public static boolean unlimited(Cpu c, int segment) {
    return c.segmentLimit[segment] == 0xFFFF_FFFFL
        && (c.segmentAttributes[segment] & DATA_WRITABLE_UP_PRESENT_MASK)
            == DATA_WRITABLE_UP_PRESENT;
  }
}
