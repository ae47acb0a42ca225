package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** CLAC and STAC: whether the supervisor may touch user pages under SMAP. */
public final class AccessFlag {
  private AccessFlag() {}

  /** #UD, not #GP, where they may not be used (SDM vol. 2, CLAC). */
  private static void checkSupervisor(Cpu c) {
    if (c.cpl != 0) {
      throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "CLAC", flow = Flow.END)
  public static void clear(Cpu c, Insn i) {
    checkSupervisor(c);
    Rflags.set(c, 0, Rflags.AC);
  }

  @Meaning(value = "STAC", flow = Flow.END)
  public static void set(Cpu c, Insn i) {
    checkSupervisor(c);
    Rflags.set(c, Rflags.AC, Rflags.AC);
  }
}
