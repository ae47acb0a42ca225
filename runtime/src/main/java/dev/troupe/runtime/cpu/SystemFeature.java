package dev.troupe.runtime.cpu;

import dev.troupe.runtime.isa.Feature.Register;

/**
 * A processor feature that brings no instruction of its own, and the CPUID bit that announces it.
 */
public enum SystemFeature {
  VME(1, Register.EDX, 1),
  DE(1, Register.EDX, 2),
  PSE(1, Register.EDX, 3),
  PAE(1, Register.EDX, 6),
  MCE(1, Register.EDX, 7),
  APIC(1, Register.EDX, 9),
  MTRR(1, Register.EDX, 12),
  PGE(1, Register.EDX, 13),
  MCA(1, Register.EDX, 14),
  PAT(1, Register.EDX, 16),
  PSE36(1, Register.EDX, 17),
  PCID(1, Register.ECX, 17),
  X2APIC(1, Register.ECX, 21),
  TSC_DEADLINE(1, Register.ECX, 24),
  HYPERVISOR(1, Register.ECX, 31),
  /** The local APIC timer runs in all sleep states. */
  ARAT(6, Register.EAX, 2),
  TSC_ADJUST(7, Register.EBX, 1),
  SMEP(7, Register.EBX, 7),
  ERMS(7, Register.EBX, 9),
  /** FCS and FDS are deprecated: they are saved as zero. */
  NO_FPU_SELECTORS(7, Register.EBX, 13),
  UMIP(7, Register.ECX, 2),
  FSRM(7, Register.EDX, 4),
  ARCH_CAPABILITIES(7, Register.EDX, 29),
  NX(0x8000_0001, Register.EDX, 20),
  MMXEXT(0x8000_0001, Register.EDX, 22),
  PAGES_1G(0x8000_0001, Register.EDX, 26),
  LM(0x8000_0001, Register.EDX, 29),
  /** Leaves 0x8000001D and 0x8000001E. */
  TOPOLOGY(0x8000_0001, Register.ECX, 22),
  PREFETCHW(0x8000_0001, Register.ECX, 8),
  INVARIANT_TSC(0x8000_0007, Register.EDX, 8),
  /** FXSAVE and XSAVE always save the x87 error pointers, so that kernels need not clear them. */
  SAVES_ERROR_POINTERS(0x8000_0008, Register.EBX, 2),
  /** Not subject to speculative store bypass: no mitigation needed. */
  SSB_NO(0x8000_0008, Register.EBX, 26),
  /** Not subject to branch type confusion. */
  BTC_NO(0x8000_0008, Register.EBX, 29),
  LFENCE_SERIALIZES(0x8000_0021, Register.EAX, 2),
  NULL_SELECTOR_CLEARS_BASE(0x8000_0021, Register.EAX, 6),
  /** EFER bit 21: predictions are separated by privilege without software's help. */
  AUTO_IBRS(0x8000_0021, Register.EAX, 8),
  /** Not subject to speculative return stack overflow. */
  SRSO_NO(0x8000_0021, Register.EAX, 29),
  TSA_SQ_NO(0x8000_0021, Register.ECX, 1),
  TSA_L1_NO(0x8000_0021, Register.ECX, 2);

  private final int leaf;
  private final Register register;
  private final int bit;

  SystemFeature(int leaf, Register register, int bit) {
    this.leaf = leaf;
    this.register = register;
    this.bit = bit;
  }

  /** CPUID leaf (EAX); the sub-leaf is 0. */
  public int leaf() {
    return leaf;
  }

  /** The register that holds the bit. */
  public Register register() {
    return register;
  }

  /** The bit's number, 0 to 31. */
  public int bit() {
    return bit;
  }
}
