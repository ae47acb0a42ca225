package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Control, debug and extended control registers; the rules are in the registers' own classes. */
public final class SystemRegisters {
  private SystemRegisters() {}

  @Meaning(value = "MOV_R_C", flow = Flow.END)
  public static void readControl(Cpu c, Insn i) {
    long value =
        switch (i.reg) {
          case 0 -> c.cr0;
          case 2 -> c.cr2;
          case 3 -> c.cr3;
          case 4 -> c.cr4;
          case 8 -> c.apic.cr8();
          default -> throw c.fault(Fault.UD);
        };
    Operands.setRegister(c, i.rm, i.operandSize, value);
  }

  @Meaning(value = "MOV_C_R", flow = Flow.END)
  public static void writeControl(Cpu c, Insn i) {
    CacheControl.serialize();
    long value = Operands.register(c, i.rm, i.operandSize);
    switch (i.reg) {
      case 0 -> c.control.writeCr0(value);
      case 2 -> c.cr2 = value;
      case 3 -> c.control.writeCr3(value);
      case 4 -> c.control.writeCr4(value);
      case 8 -> c.control.writeCr8(value);
      default -> throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "MOV_R_D", flow = Flow.END)
  public static void readDebug(Cpu c, Insn i) {
    Operands.setRegister(c, i.rm, i.operandSize, c.debug.read(i.reg));
  }

  @Meaning(value = "MOV_D_R", flow = Flow.END)
  public static void writeDebug(Cpu c, Insn i) {
    CacheControl.serialize();
    c.debug.write(i.reg, Operands.register(c, i.rm, i.operandSize));
  }

  /** To memory it is 16 bits whatever the operand size; to a register as much of CR0 as fits. */
  @Meaning(value = "SMSW", flow = Flow.NEXT)
  public static void storeStatusWord(Cpu c, Insn i) {
    Operands.store(c, i, i.memory ? 16 : i.operandSize, c.cr0);
  }

  @Meaning(value = "LMSW", flow = Flow.END)
  public static void loadStatusWord(Cpu c, Insn i) {
    c.control.loadStatusWord(Operands.load(c, i, 16));
  }

  @Meaning(value = "CLTS", flow = Flow.END)
  public static void clearTaskSwitched(Cpu c, Insn i) {
    c.control.clearTaskSwitched();
  }

  @Meaning(value = "XGETBV", flow = Flow.NEXT)
  public static void readExtended(Cpu c, Insn i) {
    long value = c.control.readXcr((int) c.gpr[Cpu.RCX]);
    c.gpr[Cpu.RAX] = value & 0xFFFF_FFFFL;
    c.gpr[Cpu.RDX] = value >>> 32;
  }

  @Meaning(value = "XSETBV", flow = Flow.END)
  public static void writeExtended(Cpu c, Insn i) {
    c.control.writeXcr((int) c.gpr[Cpu.RCX], ModelSpecific.edxEax(c));
  }

  /** CR4.PKE cannot be set, as there are no protection keys. */
  @Meaning(
      value = {"RDPKRU", "WRPKRU"},
      flow = Flow.END)
  public static void protectionKeys(Cpu c, Insn i) {
    throw c.fault(Fault.UD);
  }
}
