package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Resync;
import dev.troupe.runtime.isa.Insn;

/** What generated cases do besides meanings. */
public final class Checks {
  private Checks() {}

  /** #GP(0) for SGDT and the like above CPL 0 if CR4.UMIP says so (SDM vol. 3A, 2.5). */
  public static void umip(Cpu c) {
    if (c.cpl != 0 && (c.cr4 & ControlRegisters.UMIP) != 0) {
      throw c.fault(Fault.GP, 0);
    }
  }

  /**
   * An instruction whose fault the mode decided when it was decoded: vector and error code are its
   * immediates.
   */
  public static void raise(Cpu c, Insn i) {
    throw c.fault((int) i.immediate, i.immediate2);
  }

  /** Stands in for the rest of a block that must not go on. */
  public static void resync(Cpu c, Insn i) {
    throw Resync.THE;
  }
}
