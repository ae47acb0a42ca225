package dev.troupe.runtime.isa;

/**
 * A processor feature that brings instructions, and the CPUID bit that announces it (Intel SDM
 * volume 2, CPUID; AMD APM volume 3 appendix E).
 */
public enum Feature {
  /** What every processor has that runs 64-bit code; no bit. */
  BASE(0, 0, Register.EAX, -1),
  FPU(1, 0, Register.EDX, 0),
  TSC(1, 0, Register.EDX, 4),
  MSR(1, 0, Register.EDX, 5),
  CX8(1, 0, Register.EDX, 8),
  SEP(1, 0, Register.EDX, 11),
  CMOV(1, 0, Register.EDX, 15),
  CLFSH(1, 0, Register.EDX, 19),
  MMX(1, 0, Register.EDX, 23),
  FXSR(1, 0, Register.EDX, 24),
  SSE(1, 0, Register.EDX, 25),
  SSE2(1, 0, Register.EDX, 26),
  SSE3(1, 0, Register.ECX, 0),
  PCLMUL(1, 0, Register.ECX, 1),
  MONITOR(1, 0, Register.ECX, 3),
  SSSE3(1, 0, Register.ECX, 9),
  CX16(1, 0, Register.ECX, 13),
  SSE41(1, 0, Register.ECX, 19),
  SSE42(1, 0, Register.ECX, 20),
  MOVBE(1, 0, Register.ECX, 22),
  POPCNT(1, 0, Register.ECX, 23),
  AES(1, 0, Register.ECX, 25),
  XSAVE(1, 0, Register.ECX, 26),
  RDRAND(1, 0, Register.ECX, 30),
  FSGSBASE(7, 0, Register.EBX, 0),
  BMI1(7, 0, Register.EBX, 3),
  BMI2(7, 0, Register.EBX, 8),
  INVPCID(7, 0, Register.EBX, 10),
  RDSEED(7, 0, Register.EBX, 18),
  ADX(7, 0, Register.EBX, 19),
  SMAP(7, 0, Register.EBX, 20),
  CLFLUSHOPT(7, 0, Register.EBX, 23),
  CLWB(7, 0, Register.EBX, 24),
  PKU(7, 0, Register.ECX, 3),
  RDPID(7, 0, Register.ECX, 22),
  MOVDIRI(7, 0, Register.ECX, 27),
  SERIALIZE(7, 0, Register.EDX, 14),
  XSAVEOPT(0xD, 1, Register.EAX, 0),
  XSAVEC(0xD, 1, Register.EAX, 1),
  XSAVES(0xD, 1, Register.EAX, 3),
  SYSCALL(0x8000_0001, 0, Register.EDX, 11),
  RDTSCP(0x8000_0001, 0, Register.EDX, 27),
  LAHF64(0x8000_0001, 0, Register.ECX, 0),
  LZCNT(0x8000_0001, 0, Register.ECX, 5),
  MONITORX(0x8000_0001, 0, Register.ECX, 29),
  CLZERO(0x8000_0008, 0, Register.EBX, 0),
  WBNOINVD(0x8000_0008, 0, Register.EBX, 9);

  /** Where CPUID puts the bit. */
  public enum Register {
    EAX,
    EBX,
    ECX,
    EDX
  }

  private final int leaf;
  private final int subleaf;
  private final Register register;
  private final int bit;

  Feature(int leaf, int subleaf, Register register, int bit) {
    this.leaf = leaf;
    this.subleaf = subleaf;
    this.register = register;
    this.bit = bit;
  }

  /** CPUID leaf (EAX), as an unsigned 32-bit number. */
  public int leaf() {
    return leaf;
  }

  /** CPUID sub-leaf (ECX). */
  public int subleaf() {
    return subleaf;
  }

  /** The register that holds the bit. */
  public Register register() {
    return register;
  }

  /** The bit's number, 0 to 31, or -1 for {@link #BASE}. */
  public int bit() {
    return bit;
  }
}
