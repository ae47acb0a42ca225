package dev.troupe.runtime.cpu;

import java.util.Arrays;

/** The states that a vCPU starts in: after power-on or RESET#, INIT, and a start-up IPI. */
final class PowerOn {
  private PowerOn() {}

  /** Power-on or RESET# state (Intel SDM vol. 3A, table 10-1). */
  static void reset(Cpu c) {
    c.msrs.reset();
    c.apic.reset();
    c.pvclock.reset();
    c.xcr0 = 1;
    c.x87.reset();
    c.mxcsr = 0x1F80;
    Arrays.fill(c.xmm, 0);
    c.cr0 = ControlRegisters.CD | ControlRegisters.NW | ControlRegisters.ET;
    initialize(c);
    c.activity = c.bootProcessor ? Cpu.Activity.ACTIVE : Cpu.Activity.WAIT_FOR_SIPI;
    c.eventsWaiting = true;
    c.attend();
  }

  /**
   * What INIT sets, too: FPU and vector registers, MSRs and the cache bits of CR0 stay as they are.
   */
  static void init(Cpu c) {
    c.cr0 = (c.cr0 & (ControlRegisters.CD | ControlRegisters.NW)) | ControlRegisters.ET;
    c.apic.init();
    initialize(c);
    c.activity = c.bootProcessor ? Cpu.Activity.ACTIVE : Cpu.Activity.WAIT_FOR_SIPI;
  }

  private static void initialize(Cpu c) {
    Arrays.fill(c.gpr, 0);
    c.gpr[Cpu.RDX] = c.model.signature();
    c.rip = 0xFFF0;
    Rflags.setArithmetic(c, 0);
    c.systemFlags = 0;
    for (int i = 0; i < c.selector.length; i++) {
      c.setSegment(i, 0, 0, 0xFFFF, i == Cpu.LDTR ? 0x82 : i == Cpu.TR ? 0x8B : 0x93);
    }
    c.setSegment(Cpu.CS, 0xF000, 0xFFFF_0000L, 0xFFFF, 0x9B);
    c.gdtBase = 0;
    c.gdtLimit = 0xFFFF;
    c.idtBase = 0;
    c.idtLimit = 0xFFFF;
    c.cr2 = 0;
    c.cr3 = 0;
    c.cr4 = 0;
    c.efer = 0;
    c.cpl = 0;
    c.shadow = 0;
    c.nmiBlocked = false;
    c.wakeWhenMasked = false;
    c.monitorArmed = false;
    c.waitDeadline = Long.MAX_VALUE;
    c.dropExits();
    c.replay.clear();
    c.debug.reset();
    c.mmu.flushAll();
    c.updateMode();
  }

  /** Start-up IPI: real mode at {@code vector << 12}. */
  static void startUp(Cpu c, int vector) {
    c.setSegment(Cpu.CS, vector << 8, (long) vector << 12, 0xFFFF, 0x9B);
    c.rip = 0;
    c.activity = Cpu.Activity.ACTIVE;
    c.updateMode();
  }
}
