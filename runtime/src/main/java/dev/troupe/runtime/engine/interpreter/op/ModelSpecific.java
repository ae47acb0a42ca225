package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Model-specific registers, counters, identification, random numbers, FS and GS bases. */
public final class ModelSpecific {
  private static final long LOW = 0xFFFF_FFFFL;

  /** AMD's four performance counters, which count nothing. */
  private static final int AMD_COUNTERS = 4;

  private ModelSpecific() {}

  static long edxEax(Cpu c) {
    return (c.gpr[Cpu.RDX] << 32) | (c.gpr[Cpu.RAX] & LOW);
  }

  private static void setEdxEax(Cpu c, long value) {
    c.gpr[Cpu.RAX] = value & LOW;
    c.gpr[Cpu.RDX] = value >>> 32;
  }

  @Meaning(value = "RDMSR", flow = Flow.END)
  public static void readMsr(Cpu c, Insn i) {
    if (!c.msrs.read((int) c.gpr[Cpu.RCX])) {
      throw c.fault(Fault.GP, 0);
    }
    setEdxEax(c, c.msrs.value);
  }

  @Meaning(value = "WRMSR", flow = Flow.END)
  public static void writeMsr(Cpu c, Insn i) {
    CacheControl.serialize();
    if (!c.msrs.write((int) c.gpr[Cpu.RCX], edxEax(c))) {
      throw c.fault(Fault.GP, 0);
    }
  }

  private static void checkTimeStamp(Cpu c) {
    if (c.cpl != 0 && (c.cr4 & ControlRegisters.TSD) != 0) {
      throw c.fault(Fault.GP, 0);
    }
  }

  @Meaning(value = "RDTSC", flow = Flow.END)
  public static void readTimeStamp(Cpu c, Insn i) {
    checkTimeStamp(c);
    setEdxEax(c, c.tsc());
  }

  @Meaning(value = "RDTSCP", flow = Flow.END)
  public static void readTimeStampAndProcessor(Cpu c, Insn i) {
    checkTimeStamp(c);
    setEdxEax(c, c.tsc());
    c.gpr[Cpu.RCX] = c.msrs.tscAux;
  }

  @Meaning(value = "RDPMC", flow = Flow.END)
  public static void readPerformance(Cpu c, Insn i) {
    boolean counter =
        c.model.vendor() == CpuModel.Vendor.AMD
            && Long.compareUnsigned(c.gpr[Cpu.RCX] & LOW, AMD_COUNTERS) < 0;
    if (!counter || (c.cpl != 0 && (c.cr4 & ControlRegisters.PCE) == 0)) {
      throw c.fault(Fault.GP, 0);
    }
    setEdxEax(c, 0);
  }

  @Meaning(value = "RDPID", flow = Flow.NEXT)
  public static void readProcessor(Cpu c, Insn i) {
    Operands.setRegister(c, i.rm, i.operandSize, c.msrs.tscAux);
  }

  @Meaning(value = "CPUID", flow = Flow.END)
  public static void identify(Cpu c, Insn i) {
    CacheControl.serialize();
    c.cpuid.query((int) c.gpr[Cpu.RAX], (int) c.gpr[Cpu.RCX]);
    c.gpr[Cpu.RAX] = c.cpuid.eax & LOW;
    c.gpr[Cpu.RBX] = c.cpuid.ebx & LOW;
    c.gpr[Cpu.RCX] = c.cpuid.ecx & LOW;
    c.gpr[Cpu.RDX] = c.cpuid.edx & LOW;
  }

  /** There is always entropy: CF set, the other flags cleared. */
  @Meaning(
      value = {"RDRAND", "RDSEED"},
      flow = Flow.NEXT)
  public static void random(Cpu c, Insn i) {
    Operands.setRegister(c, i.rm, i.operandSize, c.entropy.next());
    Rflags.setArithmetic(c, Rflags.CF);
  }

  private static void checkBaseAccess(Cpu c) {
    if ((c.cr4 & ControlRegisters.FSGSBASE) == 0) {
      throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "RDFSBASE", flow = Flow.NEXT)
  public static void readFsBase(Cpu c, Insn i) {
    checkBaseAccess(c);
    Operands.setRegister(c, i.rm, i.operandSize, c.segmentBase[Cpu.FS]);
  }

  @Meaning(value = "RDGSBASE", flow = Flow.NEXT)
  public static void readGsBase(Cpu c, Insn i) {
    checkBaseAccess(c);
    Operands.setRegister(c, i.rm, i.operandSize, c.segmentBase[Cpu.GS]);
  }

  @Meaning(value = "WRFSBASE", flow = Flow.NEXT)
  public static void writeFsBase(Cpu c, Insn i) {
    writeBase(c, i, Cpu.FS);
  }

  @Meaning(value = "WRGSBASE", flow = Flow.NEXT)
  public static void writeGsBase(Cpu c, Insn i) {
    writeBase(c, i, Cpu.GS);
  }

  private static void writeBase(Cpu c, Insn i, int segment) {
    checkBaseAccess(c);
    long base = Operands.register(c, i.rm, i.operandSize);
    if (!Msrs.canonical(base)) {
      throw c.fault(Fault.GP, 0);
    }
    c.segmentBase[segment] = base;
  }

  @Meaning(value = "SWAPGS", flow = Flow.NEXT)
  public static void swapGs(Cpu c, Insn i) {
    long base = c.segmentBase[Cpu.GS];
    c.segmentBase[Cpu.GS] = c.msrs.kernelGsBase;
    c.msrs.kernelGsBase = base;
  }
}
