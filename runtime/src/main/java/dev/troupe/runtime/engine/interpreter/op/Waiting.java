package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** HLT, MONITOR and MWAIT, Intel's and AMD's. */
public final class Waiting {
  private static final long LOW = 0xFFFF_FFFFL;

  /** ECX of MWAIT and MWAITX: interrupts end the wait though IF is clear. */
  private static final long BREAK_ON_INTERRUPT = 1;

  /** ECX of MWAITX: EBX limits the wait, in TSC ticks. */
  private static final long TIMER = 2;

  private Waiting() {}

  @Meaning(value = "HLT", flow = Flow.END)
  public static void halt(Cpu c, Insn i) {
    c.halt();
  }

  private static void checkSupervisor(Cpu c) {
    if (c.cpl != 0) {
      throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "MONITOR", flow = Flow.END)
  public static void monitor(Cpu c, Insn i) {
    checkSupervisor(c);
    arm(c, i);
  }

  @Meaning(value = "MONITORX", flow = Flow.END)
  public static void monitorAnyLevel(Cpu c, Insn i) {
    arm(c, i);
  }

  private static void arm(Cpu c, Insn i) {
    if ((c.gpr[Cpu.RCX] & LOW) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    long offset = Operands.cut(c.gpr[Cpu.RAX], i.addressSize);
    Operands.load(c, Operands.linear(c, i.segment, offset, 1, false), 8);
    c.monitorArmed = true;
  }

  @Meaning(value = "MWAIT", flow = Flow.END)
  public static void wait(Cpu c, Insn i) {
    checkSupervisor(c);
    wait(c, BREAK_ON_INTERRUPT);
  }

  @Meaning(value = "MWAITX", flow = Flow.END)
  public static void waitAnyLevel(Cpu c, Insn i) {
    wait(c, BREAK_ON_INTERRUPT | TIMER);
  }

  private static void wait(Cpu c, long extensions) {
    long asked = c.gpr[Cpu.RCX] & LOW;
    if ((asked & ~extensions) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    long limit = c.gpr[Cpu.RBX] & LOW;
    boolean timer = (asked & TIMER) != 0 && limit != 0;
    c.monitorWait((asked & BREAK_ON_INTERRUPT) != 0, timer ? limit : Long.MAX_VALUE);
  }
}
