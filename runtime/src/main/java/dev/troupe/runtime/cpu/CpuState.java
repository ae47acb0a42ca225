package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;

/** The one description of a {@link Cpu}'s state. */
final class CpuState {
  private static final int GENERAL_REGISTERS = 16;

  /** Quadwords of the XMM registers; what follows is scratch. */
  private static final int XMM_WORDS = 2 * 16;

  private static final long LIMIT = 0xFFFF_FFFFL;

  private CpuState() {}

  static void visit(Cpu c, StateVisitor v) {
    v.version(1);
    v.longs("gpr", c.gpr, GENERAL_REGISTERS);
    c.rip = v.int64("rip", c.rip);
    flags(c, v);
    segments(c, v);
    c.control.state(v);
    c.cpl = v.within("cpl", c.cpl, 0, 3);
    privilege(c, v);
    v.longs("xmm", c.xmm, XMM_WORDS);
    c.mxcsr = v.int16("mxcsr", c.mxcsr);
    c.activity = v.constant("activity", c.activity, Cpu.Activity.class);
    c.wakeWhenMasked = v.bool("wakeWhenMasked", c.wakeWhenMasked);
    c.monitorArmed = v.bool("monitorArmed", c.monitorArmed);
    c.waitDeadline = v.within("waitDeadline", c.waitDeadline, 0, Long.MAX_VALUE);
    c.shadow = v.within("shadow", c.shadow, 0, Cpu.SHADOW_MOV_SS);
    c.nmiBlocked = v.bool("nmiBlocked", c.nmiBlocked);
    c.eventsWaiting = v.bool("eventsWaiting", c.eventsWaiting);
    boolean attention = v.bool("attention", c.attention());
    v.part("replay", c.replay);
    v.part("x87", c.x87);
    v.part("msrs", c.msrs);
    v.part("apic", c.apic);
    v.part("pvclock", c.pvclock);
    v.part("debug", c.debug);
    if (v.restoring()) {
      c.dropExits();
      c.updateMode();
    }
    // Last: putting the APIC's page in its place, and a change of mode, drop what it holds.
    v.part("mmu", c.mmu);
    if (v.restoring()) {
      c.takeAttention();
      if (attention) {
        c.attend();
      }
    }
  }

  /** One image: different values of the lazily kept flags that mean the same are the same state. */
  private static void flags(Cpu c, StateVisitor v) {
    long image = v.int64("rflags", Rflags.get(c));
    v.require((image & ~Rflags.ALL) == Rflags.FIXED, "rflags", image, "bit 1 and existing flags");
    if (v.restoring()) {
      Rflags.setArithmetic(c, image);
      c.systemFlags = image & Rflags.SYSTEM;
    }
  }

  private static void segments(Cpu c, StateVisitor v) {
    int count = c.selector.length;
    v.ints("selector", c.selector, count, 0, 0xFFFF);
    v.longs("segmentBase", c.segmentBase);
    for (long base : c.segmentBase) {
      v.require(Msrs.canonical(base), "segmentBase", base, "a canonical address");
    }
    v.longs("segmentLimit", c.segmentLimit, count, 0, LIMIT);
    v.ints("segmentAttributes", c.segmentAttributes, count, 0, 0xFFFF);
    c.gdtBase = Msrs.canonical(v, "gdtBase", c.gdtBase);
    c.gdtLimit = v.int16("gdtLimit", c.gdtLimit);
    c.idtBase = Msrs.canonical(v, "idtBase", c.idtBase);
    c.idtLimit = v.int16("idtLimit", c.idtLimit);
  }

  private static void privilege(Cpu c, StateVisitor v) {
    boolean protectedMode = (c.cr0 & ControlRegisters.PE) != 0;
    boolean virtual = (c.systemFlags & Rflags.VM) != 0;
    v.require(protectedMode || c.cpl == 0, "cpl", c.cpl, "0 in real mode");
    v.require(!virtual || c.cpl == 3, "cpl", c.cpl, "3 in virtual-8086 mode");
    v.require(
        !virtual || (c.efer & Msrs.EFER_LMA) == 0, "rflags", c.systemFlags, "VM outside long mode");
  }
}
