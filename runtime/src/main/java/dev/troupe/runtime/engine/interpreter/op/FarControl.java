package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Exceptions.Kind;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Transfers between code segments, software interrupts and returns from them. */
public final class FarControl {
  private FarControl() {}

  @Meaning(value = "CALLF", flow = Flow.END)
  public static void call(Cpu c, Insn i) {
    c.far.call(i.immediate2, i.immediate, i.operandSize >> 3, i.nextRip);
  }

  @Meaning(value = "JMPF", flow = Flow.END)
  public static void jump(Cpu c, Insn i) {
    c.far.jump(i.immediate2, i.immediate, i.nextRip);
  }

  @Meaning(value = "CALLF_M", flow = Flow.END)
  public static void callMemory(Cpu c, Insn i) {
    long offset = Operands.load(c, i, i.operandSize);
    c.far.call((int) selector(c, i), offset, i.operandSize >> 3, i.nextRip);
  }

  @Meaning(value = "JMPF_M", flow = Flow.END)
  public static void jumpMemory(Cpu c, Insn i) {
    long offset = Operands.load(c, i, i.operandSize);
    c.far.jump((int) selector(c, i), offset, i.nextRip);
  }

  /** The selector behind the offset of a far pointer in memory. */
  static long selector(Cpu c, Insn i) {
    return c.mmu.load16(Operands.part(c, i, i.operandSize >> 3, 2, false));
  }

  @Meaning(value = "RETF", flow = Flow.END)
  public static void ret(Cpu c, Insn i) {
    c.far.ret(i.operandSize >> 3, (int) i.immediate & 0xFFFF);
  }

  @Meaning(value = "IRET", flow = Flow.END)
  public static void iret(Cpu c, Insn i) {
    CacheControl.serialize();
    c.far.iret(i.operandSize >> 3, i.nextRip);
  }

  @Meaning(value = "INT", flow = Flow.END)
  public static void interrupt(Cpu c, Insn i) {
    int vector = (int) i.immediate & 0xFF;
    // INT3 and INTO are not sensitive to IOPL in virtual-8086 mode (SDM vol. 3A, 20.2.7).
    if ((c.mode & Mode.V86) == 0 || !c.virtual8086.interrupt(vector, i.nextRip)) {
      c.exceptions.software(vector, i.nextRip, Kind.SOFTWARE);
    }
  }

  @Meaning(value = "INT3", flow = Flow.END)
  public static void breakpoint(Cpu c, Insn i) {
    c.exceptions.software(Fault.BP, i.nextRip, Kind.SOFTWARE);
  }

  @Meaning(value = "INTO", flow = Flow.END)
  public static void overflow(Cpu c, Insn i) {
    if ((Rflags.arithmetic(c) & Rflags.OF) != 0) {
      c.exceptions.software(Fault.OF, i.nextRip, Kind.SOFTWARE);
    }
  }

  @Meaning(value = "INT1", flow = Flow.END)
  public static void debugTrap(Cpu c, Insn i) {
    c.exceptions.software(Fault.DB, i.nextRip, Kind.PRIVILEGED_SOFTWARE);
  }
}
