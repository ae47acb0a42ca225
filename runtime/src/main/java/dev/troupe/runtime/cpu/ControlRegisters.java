package dev.troupe.runtime.cpu;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * CR0, CR3, CR4, CR8, EFER and XCR0: their bits and the rules for changing them (Intel SDM vol. 3A,
 * 2.5, 2.6 and 9.8.5). A method that throws has changed nothing.
 */
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

  /** XCR0: x87 state, always set. */
  public static final long XCR0_X87 = 1;

  public static final long XCR0_SSE = 1 << 1;

  /** Existing CR0 bits; the other low ones are ignored when written, the high ones #GP. */
  private static final long CR0_BITS = PE | MP | EM | TS | ET | NE | WP | AM | NW | CD | PG;

  /** Their change changes translations, or the rights that a TLB entry grants. */
  private static final long CR0_PAGING = PE | PG | WP;

  private static final long CR4_PAGING = PSE | PAE | PGE | PCIDE | SMEP | SMAP;

  /** Their change loads the PDPTEs anew under PAE paging (4.4.1). */
  private static final long CR0_PDPTE = PG | CD | NW;

  private static final long CR4_PDPTE = PSE | PAE | PGE | SMEP;

  /** CR3 bit 63, with PCIDs: keep the translations of the new PCID. */
  private static final long CR3_NO_FLUSH = 1L << 63;

  private static final int TSS_TYPE = 0xF;
  private static final int TSS_32_AVAILABLE = 9;

  private final Cpu cpu;
  private final long cr4Bits;
  private final long eferBits;

  ControlRegisters(Cpu cpu) {
    this.cpu = cpu;
    this.cr4Bits = cr4Bits(cpu.model);
    this.eferBits = eferBits(cpu.model);
  }

  private static long cr4Bits(CpuModel m) {
    long bits = PCE;
    bits |= m.has(SystemFeature.VME) ? VME | PVI : 0;
    bits |= m.has(Feature.TSC) ? TSD : 0;
    bits |= m.has(SystemFeature.DE) ? DE : 0;
    bits |= m.has(SystemFeature.PSE) ? PSE : 0;
    bits |= m.has(SystemFeature.PAE) ? PAE : 0;
    bits |= m.has(SystemFeature.MCE) ? MCE : 0;
    bits |= m.has(SystemFeature.PGE) ? PGE : 0;
    bits |= m.has(Feature.FXSR) ? OSFXSR : 0;
    bits |= m.has(Feature.SSE) ? OSXMMEXCPT : 0;
    bits |= m.has(SystemFeature.UMIP) ? UMIP : 0;
    bits |= m.has(Feature.FSGSBASE) ? FSGSBASE : 0;
    bits |= m.has(SystemFeature.PCID) ? PCIDE : 0;
    bits |= m.has(Feature.XSAVE) ? OSXSAVE : 0;
    bits |= m.has(SystemFeature.SMEP) ? SMEP : 0;
    bits |= m.has(Feature.SMAP) ? SMAP : 0;
    return bits;
  }

  private static long eferBits(CpuModel m) {
    long bits = m.has(Feature.SYSCALL) ? Msrs.EFER_SCE : 0;
    bits |= m.has(SystemFeature.LM) ? Msrs.EFER_LME | Msrs.EFER_LMA : 0;
    bits |= m.has(SystemFeature.NX) ? Msrs.EFER_NXE : 0;
    bits |= m.has(SystemFeature.AUTO_IBRS) ? Msrs.EFER_AUTO_IBRS : 0;
    return bits;
  }

  private boolean code64() {
    return (cpu.mode & Mode.CODE_64) != 0;
  }

  private Fault generalProtection() {
    return cpu.fault(Fault.GP, 0);
  }

  /** MOV to CR0, LMSW, task switches. */
  public void writeCr0(long value) {
    boolean paging = (value & PG) != 0;
    boolean wasPaging = (cpu.cr0 & PG) != 0;
    if (value >>> 32 != 0
        || (paging && (value & PE) == 0)
        || ((value & NW) != 0 && (value & CD) == 0)) {
      throw generalProtection();
    }
    long efer = cpu.efer;
    if (paging && !wasPaging && (efer & Msrs.EFER_LME) != 0) {
      boolean wideTss = (cpu.segmentAttributes[Cpu.TR] & TSS_TYPE) >= TSS_32_AVAILABLE;
      if ((cpu.cr4 & PAE) == 0
          || (cpu.segmentAttributes[Cpu.CS] & Cpu.ATTRIBUTE_L) != 0
          || !wideTss) {
        throw generalProtection();
      }
      efer |= Msrs.EFER_LMA;
    } else if (!paging && wasPaging) {
      if (code64() || (cpu.cr4 & PCIDE) != 0) {
        throw generalProtection();
      }
      efer &= ~Msrs.EFER_LMA;
    }
    long written = (value & CR0_BITS) | ET;
    long changed = written ^ cpu.cr0;
    boolean pae = paging && (cpu.cr4 & PAE) != 0 && (efer & Msrs.EFER_LMA) == 0;
    if (pae && (changed & CR0_PDPTE) != 0 && !cpu.mmu.loadPdptes(cpu.cr3)) {
      throw generalProtection();
    }
    cpu.cr0 = written;
    cpu.efer = efer;
    if ((changed & CR0_PAGING) != 0) {
      cpu.mmu.flushAll();
    }
    cpu.updateMode();
  }

  /** MOV to CR3; also task switches, with a 32-bit value. */
  public void writeCr3(long value) {
    long written = value;
    boolean pcids = (cpu.cr4 & PCIDE) != 0;
    if ((cpu.efer & Msrs.EFER_LMA) != 0) {
      if (pcids) {
        written &= ~CR3_NO_FLUSH;
      }
      if (written >>> cpu.model.physicalBits() != 0) {
        throw generalProtection();
      }
    } else {
      written &= 0xFFFF_FFFFL;
      if (cpu.mmu.paePaging() && !cpu.mmu.loadPdptes(written)) {
        throw generalProtection();
      }
    }
    cpu.cr3 = written;
    // Translations carry no PCID: those of other PCIDs may be dropped at any time (4.10.1).
    cpu.mmu.flushNonGlobal();
  }

  /** MOV to CR4. */
  public void writeCr4(long value) {
    long changed = value ^ cpu.cr4;
    boolean longMode = (cpu.efer & Msrs.EFER_LMA) != 0;
    if ((value & ~cr4Bits) != 0 || (longMode && (value & PAE) == 0)) {
      throw generalProtection();
    }
    if ((changed & value & PCIDE) != 0 && (!longMode || (cpu.cr3 & 0xFFF) != 0)) {
      throw generalProtection();
    }
    boolean pae = (cpu.cr0 & PG) != 0 && (value & PAE) != 0 && !longMode;
    if (pae && (changed & CR4_PDPTE) != 0 && !cpu.mmu.loadPdptes(cpu.cr3)) {
      throw generalProtection();
    }
    cpu.cr4 = value;
    if ((changed & CR4_PAGING) != 0) {
      cpu.mmu.flushAll();
    }
    if ((changed & DE) != 0) {
      cpu.debug.changed();
    }
    cpu.updateMode();
  }

  /** MOV to CR8. */
  public void writeCr8(long value) {
    if ((value & ~0xFL) != 0) {
      throw generalProtection();
    }
    cpu.apic.setCr8((int) value);
  }

  /** WRMSR to EFER: false for #GP. LMA follows from LME and CR0.PG and cannot be written. */
  boolean writeEfer(long value) {
    long changed = value ^ cpu.efer;
    if ((value & ~eferBits) != 0 || ((changed & Msrs.EFER_LME) != 0 && (cpu.cr0 & PG) != 0)) {
      return false;
    }
    cpu.efer = (value & ~Msrs.EFER_LMA) | (cpu.efer & Msrs.EFER_LMA);
    if ((changed & Msrs.EFER_NXE) != 0) {
      cpu.mmu.flushAll();
    }
    cpu.updateMode();
    return true;
  }

  /** True if EFER exists in this model. */
  boolean hasEfer() {
    return eferBits != 0;
  }

  /** LMSW: the low four bits of CR0; PE can be set, not cleared. */
  public void loadStatusWord(long value) {
    writeCr0((cpu.cr0 & ~(MP | EM | TS)) | (value & (PE | MP | EM | TS)));
  }

  /** CLTS. */
  public void clearTaskSwitched() {
    cpu.cr0 &= ~TS;
    cpu.updateMode();
  }

  /** State components that XCR0 may enable. */
  public long xcr0Bits() {
    return cpu.model.has(Feature.XSAVE) ? XCR0_X87 | XCR0_SSE : 0;
  }

  /** XSETBV: #GP for any register but XCR0, unknown components, or x87 state off. */
  public void writeXcr(int register, long value) {
    if (register != 0 || (value & ~xcr0Bits()) != 0 || (value & XCR0_X87) == 0) {
      throw generalProtection();
    }
    cpu.xcr0 = value;
    cpu.updateMode();
  }

  /**
   * XGETBV: XCR0, or with ECX 1, which XGETBV_ECX_1 announces, the components in use; #GP for
   * others.
   */
  public long readXcr(int register) {
    if (register != 0) {
      throw generalProtection();
    }
    return cpu.xcr0;
  }

  /**
   * CR0, CR3, CR4, EFER and XCR0 as fields of the vCPU: combinations that no guest can make are
   * refused.
   */
  void state(StateVisitor v) {
    cpu.cr0 = v.bits("cr0", cpu.cr0, CR0_BITS);
    boolean paging = (cpu.cr0 & PG) != 0;
    v.require(!paging || (cpu.cr0 & PE) != 0, "cr0", cpu.cr0, "PE with PG");
    v.require((cpu.cr0 & (NW | CD)) != NW, "cr0", cpu.cr0, "CD with NW");
    cpu.cr2 = v.int64("cr2", cpu.cr2);
    cpu.cr3 = v.int64("cr3", cpu.cr3);
    v.require(cpu.cr3 >>> cpu.model.physicalBits() == 0, "cr3", cpu.cr3, "a physical address");
    cpu.cr4 = v.bits("cr4", cpu.cr4, cr4Bits);
    cpu.efer = v.bits("efer", cpu.efer, eferBits);
    boolean longMode = (cpu.efer & Msrs.EFER_LMA) != 0;
    boolean wanted = paging && (cpu.efer & Msrs.EFER_LME) != 0;
    v.require(longMode == wanted, "efer", cpu.efer, "LMA as LME and CR0.PG say");
    v.require(!longMode || (cpu.cr4 & PAE) != 0, "cr4", cpu.cr4, "PAE in long mode");
    v.require(longMode || (cpu.cr4 & PCIDE) == 0, "cr4", cpu.cr4, "PCIDE in long mode only");
    cpu.xcr0 = v.bits("xcr0", cpu.xcr0, xcr0Bits() | XCR0_X87);
    v.require((cpu.xcr0 & XCR0_X87) != 0, "xcr0", cpu.xcr0, "x87 state");
  }
}
