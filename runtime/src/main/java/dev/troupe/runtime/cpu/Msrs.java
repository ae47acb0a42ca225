package dev.troupe.runtime.cpu;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.Arrays;

/**
 * Model-specific registers (Intel SDM vol. 4, AMD APM vol. 2 appendix A). A register that the model
 * does not have, a reserved bit and an address that is not canonical are #GP.
 */
public final class Msrs implements Stateful {
  /** TSC ticks a second: one a nanosecond of virtual time. */
  public static final int TSC_HERTZ = 1_000_000_000;

  public static final long EFER_SCE = 1L;
  public static final long EFER_LME = 1L << 8;
  public static final long EFER_LMA = 1L << 10;
  public static final long EFER_NXE = 1L << 11;
  public static final long EFER_AUTO_IBRS = 1L << 21;

  private static final int TSC = 0x10;
  private static final int KVM_WALL_CLOCK_OLD = 0x11;
  private static final int KVM_SYSTEM_TIME_OLD = 0x12;
  private static final int PLATFORM_ID = 0x17;
  private static final int APIC_BASE = 0x1B;
  private static final int EBL_CR_POWERON = 0x2A;
  private static final int FEATURE_CONTROL = 0x3A;
  private static final int TSC_ADJUST = 0x3B;
  private static final int BIOS_UPDATE = 0x79;
  private static final int BIOS_SIGNATURE = 0x8B;
  private static final int MTRR_CAPABILITIES = 0xFE;
  private static final int ARCH_CAPABILITIES = 0x10A;
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_ESP = 0x175;
  private static final int SYSENTER_EIP = 0x176;
  private static final int MCG_CAP = 0x179;
  private static final int MCG_STATUS = 0x17A;
  private static final int MCG_CTL = 0x17B;
  private static final int PERF_STATUS = 0x198;
  private static final int MISC_ENABLE = 0x1A0;
  private static final int DEBUG_CONTROL = 0x1D9;
  private static final int PAT = 0x277;
  private static final int FIRST_BANK = 0x400;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int XSS = 0xDA0;
  private static final int KVM_WALL_CLOCK = 0x4B56_4D00;
  private static final int KVM_SYSTEM_TIME = 0x4B56_4D01;
  private static final int EFER = 0xC000_0080;
  private static final int STAR = 0xC000_0081;
  private static final int LSTAR = 0xC000_0082;
  private static final int CSTAR = 0xC000_0083;
  private static final int FMASK = 0xC000_0084;
  private static final int FS_BASE = 0xC000_0100;
  private static final int GS_BASE = 0xC000_0101;
  private static final int KERNEL_GS_BASE = 0xC000_0102;
  private static final int TSC_AUX = 0xC000_0103;

  /**
   * AMD's, which are read as zero and whose writes are ignored, so that kernels find a plain
   * processor of that family.
   */
  private static final int[] AMD_IGNORED = {
    0xC001_0000, 0xC001_0001, 0xC001_0002, 0xC001_0003, 0xC001_0004, 0xC001_0005, 0xC001_0006,
    0xC001_0007, 0xC001_0010, 0xC001_0016, 0xC001_0017, 0xC001_0018, 0xC001_0019, 0xC001_001A,
    0xC001_001D, 0xC001_001F, 0xC001_0055, 0xC001_0058, 0xC001_0112, 0xC001_0113, 0xC001_0114,
    0xC001_1020, 0xC001_1021, 0xC001_1022, 0xC001_1023, 0xC001_102A
  };

  private static final int AMD_HWCR = 0xC001_0015;
  private static final int AMD_DE_CONFIG = 0xC001_1029;

  /** HWCR: FFDIS, IGNNE, McStatusWrEn, TscFreqSel, as KVM lets them be set. */
  private static final long HWCR_WRITABLE = 1 << 6 | 1 << 8 | 1 << 18 | 1 << 24;

  /** HWCR: the TSC counts at the P0 frequency, whatever the core does. */
  private static final long HWCR_TSC_FREQUENCY = 1 << 24;

  /** DE_CFG: LFENCE serializes. */
  private static final long DE_CONFIG_LFENCE = 2;

  /**
   * Free of Meltdown (0), L1TF (3), MDS (5), the page-size machine check (6), TAA (8), MMIO stale
   * data (13 to 15), PBRSB (24), GDS (26), RFDS (27), BHI (20), ITS (62), and of speculative store
   * bypass (4).
   */
  private static final long CAPABILITIES =
      1L | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 7 << 13 | 1 << 20 | 1 << 24 | 1 << 26
          | 1 << 27 | 1L << 62;

  /** Banks without any error source: what is needed to find that nothing is wrong. */
  private static final int BANKS = 4;

  private static final long MCG_HAS_CONTROL = 1 << 8;
  private static final long PAT_INITIAL = 0x0007_0406_0007_0406L;

  /** MISC_ENABLE: fast strings, and MONITOR on. */
  private static final long MISC_ENABLE_INITIAL = 1 | 1 << 18;

  private final Cpu cpu;
  private final CpuModel model;
  private final Mtrrs mtrrs;
  private final long[] banks = new long[4 * BANKS];

  /** Guest TSC minus virtual nanoseconds. */
  private long tscOffset;

  private long tscAdjust;
  private long pat;
  private long miscEnable;
  private long mcgStatus;
  private long mcgControl;
  private long hwcr;
  private long deConfig;

  public long star;
  public long lstar;
  public long cstar;
  public long fmask;
  public long kernelGsBase;
  public long sysenterCs;
  public long sysenterEsp;
  public long sysenterEip;

  /** TSC_AUX: what RDTSCP and RDPID give. */
  public long tscAux;

  /** What {@link #read} read. */
  public long value;

  Msrs(Cpu cpu) {
    this.cpu = cpu;
    this.model = cpu.model;
    this.mtrrs = new Mtrrs(cpu.model.physicalBits());
  }

  /** The time-stamp counter. */
  long tsc() {
    return tscAt(cpu.time.nanos());
  }

  /** What the time-stamp counter is more than virtual nanoseconds. */
  public long tscOffset() {
    return tscOffset;
  }

  /** The time-stamp counter at that virtual time. */
  long tscAt(long nanos) {
    return nanos + tscOffset;
  }

  /** Power-on state. */
  void reset() {
    tscOffset = -cpu.time.nanos();
    tscAdjust = 0;
    star = 0;
    lstar = 0;
    cstar = 0;
    fmask = 0;
    kernelGsBase = 0;
    sysenterCs = 0;
    sysenterEsp = 0;
    sysenterEip = 0;
    tscAux = 0;
    pat = PAT_INITIAL;
    miscEnable = MISC_ENABLE_INITIAL;
    mcgStatus = 0;
    mcgControl = 0;
    hwcr = HWCR_TSC_FREQUENCY;
    deConfig = DE_CONFIG_LFENCE;
    Arrays.fill(banks, 0);
    mtrrs.reset();
  }

  private boolean amd() {
    return model.vendor() == CpuModel.Vendor.AMD;
  }

  /** True if a linear address is canonical: 48 bits, sign-extended. */
  public static boolean canonical(long address) {
    return address << 16 >> 16 == address;
  }

  /** RDMSR: true with the value in {@link #value}, false for #GP. */
  public boolean read(int msr) {
    value = 0;
    if (msr >>> 8 == 8) {
      boolean known = model.has(SystemFeature.X2APIC) && cpu.apic.msrs.read(msr);
      value = cpu.apic.msrs.value;
      return known;
    }
    if (Mtrrs.holds(msr)) {
      value = mtrrs.read(msr);
      return model.has(SystemFeature.MTRR);
    }
    int bank = msr - FIRST_BANK;
    if (bank >= 0 && bank < banks.length) {
      value = banks[bank];
      return model.has(SystemFeature.MCA);
    }
    if (!exists(msr)) {
      return false;
    }
    value =
        switch (msr) {
          case TSC -> tsc();
          case KVM_WALL_CLOCK_OLD, KVM_WALL_CLOCK -> cpu.pvclock.wallRegister();
          case KVM_SYSTEM_TIME_OLD, KVM_SYSTEM_TIME -> cpu.pvclock.timeRegister();
          case APIC_BASE -> cpu.apic.base();
          // Locked, with all off: there is neither VMX nor SMX.
          case FEATURE_CONTROL -> 1;
          case TSC_ADJUST -> tscAdjust;
          case BIOS_SIGNATURE -> amd() ? 0x0100_0065 : 0x1_0000_0000L;
          case MTRR_CAPABILITIES -> Mtrrs.CAPABILITIES;
          case ARCH_CAPABILITIES -> CAPABILITIES;
          case SYSENTER_CS -> sysenterCs;
          case SYSENTER_ESP -> sysenterEsp;
          case SYSENTER_EIP -> sysenterEip;
          case MCG_CAP -> BANKS | MCG_HAS_CONTROL;
          case MCG_STATUS -> mcgStatus;
          case MCG_CTL -> mcgControl;
          case MISC_ENABLE -> miscEnable;
          case PAT -> pat;
          case TSC_DEADLINE -> cpu.apic.tscDeadline();
          case EFER -> cpu.efer;
          case STAR -> star;
          case LSTAR -> lstar;
          case CSTAR -> cstar;
          case FMASK -> fmask;
          case FS_BASE -> cpu.segmentBase[Cpu.FS];
          case GS_BASE -> cpu.segmentBase[Cpu.GS];
          case KERNEL_GS_BASE -> kernelGsBase;
          case TSC_AUX -> tscAux;
          case AMD_HWCR -> hwcr;
          case AMD_DE_CONFIG -> deConfig;
          default -> 0;
        };
    return true;
  }

  /** True if the model has the register; those with an own range are answered before. */
  private boolean exists(int msr) {
    return switch (msr) {
      case TSC -> model.has(Feature.TSC);
      case KVM_WALL_CLOCK, KVM_WALL_CLOCK_OLD, KVM_SYSTEM_TIME, KVM_SYSTEM_TIME_OLD ->
          model.has(SystemFeature.HYPERVISOR);
      case APIC_BASE -> model.has(SystemFeature.APIC);
      case TSC_ADJUST -> model.has(SystemFeature.TSC_ADJUST);
      case MTRR_CAPABILITIES -> model.has(SystemFeature.MTRR);
      case ARCH_CAPABILITIES -> model.has(SystemFeature.ARCH_CAPABILITIES);
      case SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP -> model.has(Feature.SEP);
      case MCG_CAP, MCG_STATUS, MCG_CTL -> model.has(SystemFeature.MCA);
      case PAT -> model.has(SystemFeature.PAT);
      case TSC_DEADLINE -> model.has(SystemFeature.TSC_DEADLINE);
      case XSS -> model.has(Feature.XSAVES);
      case EFER -> cpu.control.hasEfer();
      case STAR -> model.has(Feature.SYSCALL);
      case LSTAR, CSTAR, FMASK, FS_BASE, GS_BASE, KERNEL_GS_BASE -> model.has(SystemFeature.LM);
      case TSC_AUX -> model.has(Feature.RDTSCP) || model.has(Feature.RDPID);
      // The P5's machine check registers: read as zero.
      case 0, 1, BIOS_UPDATE, BIOS_SIGNATURE, FEATURE_CONTROL, MISC_ENABLE, DEBUG_CONTROL -> true;
      case PLATFORM_ID, EBL_CR_POWERON, PERF_STATUS -> true;
      case AMD_HWCR, AMD_DE_CONFIG -> amd();
      default -> amd() && Arrays.binarySearch(AMD_IGNORED, msr) >= 0;
    };
  }

  /** WRMSR: false for #GP, with nothing changed. */
  public boolean write(int msr, long v) {
    if (msr >>> 8 == 8) {
      return model.has(SystemFeature.X2APIC) && cpu.apic.msrs.write(msr, v);
    }
    if (Mtrrs.holds(msr)) {
      return model.has(SystemFeature.MTRR) && mtrrs.write(msr, v);
    }
    int bank = msr - FIRST_BANK;
    if (bank >= 0 && bank < banks.length) {
      return model.has(SystemFeature.MCA) && writeBank(bank, v);
    }
    return exists(msr) && writeExisting(msr, v);
  }

  private boolean writeExisting(int msr, long v) {
    switch (msr) {
      case TSC -> moveTsc(v - tsc());
      case TSC_ADJUST -> moveTsc(v - tscAdjust);
      case KVM_WALL_CLOCK_OLD, KVM_WALL_CLOCK -> {
        return cpu.pvclock.setWall(v);
      }
      case KVM_SYSTEM_TIME_OLD, KVM_SYSTEM_TIME -> {
        return cpu.pvclock.setTime(v);
      }
      case APIC_BASE -> {
        return cpu.apic.setBase(v);
      }
      case EFER -> {
        return cpu.control.writeEfer(v);
      }
      case TSC_DEADLINE -> cpu.apic.setTscDeadline(v);
      case SYSENTER_CS -> sysenterCs = v & 0xFFFF_FFFFL;
      case MISC_ENABLE -> miscEnable = v;
      case MCG_STATUS -> mcgStatus = v & 7;
      case MCG_CTL -> mcgControl = v;
      case STAR -> star = v;
      case FMASK -> fmask = v & 0xFFFF_FFFFL;
      case AMD_HWCR -> hwcr = v & HWCR_WRITABLE;
      case AMD_DE_CONFIG -> deConfig = v;
      default -> {
        return writeChecked(msr, v);
      }
    }
    return true;
  }

  /** Registers whose values can be wrong. */
  private boolean writeChecked(int msr, long v) {
    switch (msr) {
      case PAT -> {
        if (!isPat(v)) {
          return false;
        }
        pat = v;
      }
      case SYSENTER_ESP, SYSENTER_EIP, LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE -> {
        if (!canonical(v)) {
          return false;
        }
        writeAddress(msr, v);
      }
      case TSC_AUX -> {
        if (v >>> 32 != 0) {
          return false;
        }
        tscAux = v;
      }
      case BIOS_UPDATE, EBL_CR_POWERON -> {}
      // Zero clears what is never set. BIOS_SIGNATURE: Intel's way to ask is write zero, CPUID,
      // read.
      case 0, 1, XSS, DEBUG_CONTROL, BIOS_SIGNATURE -> {
        return v == 0;
      }
      case PLATFORM_ID,
          FEATURE_CONTROL,
          MTRR_CAPABILITIES,
          ARCH_CAPABILITIES,
          MCG_CAP,
          PERF_STATUS -> {
        return false;
      }
      default -> {
        // What is left is AMD_IGNORED.
      }
    }
    return true;
  }

  private static boolean isPat(long value) {
    for (int i = 0; i < 64; i += 8) {
      int type = (int) (value >>> i) & 0xFF;
      if (type > 7 || type == 2 || type == 3) {
        return false;
      }
    }
    return true;
  }

  private void writeAddress(int msr, long v) {
    switch (msr) {
      case SYSENTER_ESP -> sysenterEsp = v;
      case SYSENTER_EIP -> sysenterEip = v;
      case LSTAR -> lstar = v;
      case CSTAR -> cstar = v;
      case FS_BASE -> cpu.segmentBase[Cpu.FS] = v;
      case GS_BASE -> cpu.segmentBase[Cpu.GS] = v;
      default -> kernelGsBase = v;
    }
  }

  /** MCi_CTL takes all ones or all zeros; STATUS, ADDR and MISC zero only. */
  private boolean writeBank(int register, long v) {
    boolean control = (register & 3) == 0;
    if (v != 0 && !(control && v == -1)) {
      return false;
    }
    banks[register] = v;
    return true;
  }

  private void moveTsc(long distance) {
    tscOffset += distance;
    tscAdjust += distance;
    cpu.apic.tscChanged();
    cpu.pvclock.update();
    cpu.attend();
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    tscOffset = v.int64("tscOffset", tscOffset);
    tscAdjust = v.int64("tscAdjust", tscAdjust);
    pat = v.int64("pat", pat);
    v.require(isPat(pat), "pat", pat, "memory types 0, 1, 4 to 7");
    miscEnable = v.int64("miscEnable", miscEnable);
    mcgStatus = v.bits("mcgStatus", mcgStatus, 7);
    mcgControl = v.int64("mcgControl", mcgControl);
    hwcr = v.bits("hwcr", hwcr, HWCR_WRITABLE);
    deConfig = v.int64("deConfig", deConfig);
    v.longs("banks", banks);
    star = v.int64("star", star);
    lstar = canonical(v, "lstar", lstar);
    cstar = canonical(v, "cstar", cstar);
    fmask = v.bits("fmask", fmask, 0xFFFF_FFFFL);
    kernelGsBase = canonical(v, "kernelGsBase", kernelGsBase);
    sysenterCs = v.bits("sysenterCs", sysenterCs, 0xFFFF_FFFFL);
    sysenterEsp = canonical(v, "sysenterEsp", sysenterEsp);
    sysenterEip = canonical(v, "sysenterEip", sysenterEip);
    tscAux = v.bits("tscAux", tscAux, 0xFFFF_FFFFL);
    v.part("mtrrs", mtrrs);
  }

  /** A linear address among the state. */
  static long canonical(StateVisitor v, String name, long address) {
    long now = v.int64(name, address);
    v.require(canonical(now), name, now, "a canonical address");
    return now;
  }
}
