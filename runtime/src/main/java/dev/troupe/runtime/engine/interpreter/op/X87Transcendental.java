package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.host.HostMath;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.engine.host.PortableMath;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * Host-defined results: the x87 transcendentals (SDM vol. 1, 8.3.7), and the SSE approximations.
 */
public final class X87Transcendental {
  private X87Transcendental() {}

  private static void run(Cpu c, Insn i, int opcode) {
    c.x87.instructionPointer = i.rip;
    if (HostStub.available()) {
      HostMath.x87(c.x87, opcode, c.x87.hostBlock(HostMath.BLOCK_SIZE));
    } else {
      PortableMath.x87(c.x87, opcode);
    }
  }

  @Meaning("F2XM1")
  public static void f2xm1(Cpu c, Insn i) {
    run(c, i, HostMath.F2XM1);
  }

  @Meaning("FYL2X")
  public static void fyl2x(Cpu c, Insn i) {
    run(c, i, HostMath.FYL2X);
  }

  @Meaning("FYL2XP1")
  public static void fyl2xp1(Cpu c, Insn i) {
    run(c, i, HostMath.FYL2XP1);
  }

  @Meaning("FPTAN")
  public static void fptan(Cpu c, Insn i) {
    run(c, i, HostMath.FPTAN);
  }

  @Meaning("FPATAN")
  public static void fpatan(Cpu c, Insn i) {
    run(c, i, HostMath.FPATAN);
  }

  @Meaning("FSIN")
  public static void fsin(Cpu c, Insn i) {
    run(c, i, HostMath.FSIN);
  }

  @Meaning("FCOS")
  public static void fcos(Cpu c, Insn i) {
    run(c, i, HostMath.FCOS);
  }

  @Meaning("FSINCOS")
  public static void fsincos(Cpu c, Insn i) {
    run(c, i, HostMath.FSINCOS);
  }
}
