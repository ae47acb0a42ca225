package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/**
 * SYSCALL, SYSRET, SYSENTER, SYSEXIT. Where Intel and AMD differ, the model's vendor decides: AMD
 * has SYSCALL in compatibility and legacy mode too, and no SYSENTER in long mode.
 */
public final class FastSystemCall {
  private static final long LOW = 0xFFFF_FFFFL;

  /** SYSRET takes these from R11: all but RF and VM. */
  public static final long RETURNED = 0x3C_7FD7;

  // Segment attributes, with the granular limit's high nibble: see Cpu.segmentAttributes.
  private static final int CODE_64 = 0xAF9B;
  private static final int CODE_32 = 0xCF9B;
  private static final int DATA = 0xCF93;

  private static final int DPL_SHIFT = 5;

  private FastSystemCall() {}

  private static boolean intel(Cpu c) {
    return c.model.vendor() == CpuModel.Vendor.INTEL;
  }

  private static boolean longMode(Cpu c) {
    return (c.efer & Msrs.EFER_LMA) != 0;
  }

  private static boolean code64(Cpu c) {
    return (c.mode & Mode.CODE_64) != 0;
  }

  /** Flat CS and SS of a privilege level, and the level itself. */
  private static void enter(Cpu c, int codeSelector, int stackSelector, boolean wide, int level) {
    int privilege = level << DPL_SHIFT;
    c.setSegment(Cpu.CS, codeSelector, 0, LOW, (wide ? CODE_64 : CODE_32) | privilege);
    c.setSegment(Cpu.SS, stackSelector, 0, LOW, DATA | privilege);
    c.cpl = level;
    c.updateMode();
  }

  /**
   * The segments and the privilege level that SYSCALL gives.
   *
   * @param wide in long mode
   */
  public static void toKernel(Cpu c, boolean wide) {
    int selector = (int) (c.msrs.star >>> 32) & 0xFFFC;
    enter(c, selector, selector + 8, wide, 0);
  }

  /**
   * The segments and the privilege level that SYSRET gives.
   *
   * @param wide to 64-bit code
   */
  public static void toUser(Cpu c, boolean wide) {
    int base = (int) (c.msrs.star >>> 48);
    enter(c, ((wide ? base + 16 : base) & 0xFFFF) | 3, ((base + 8) & 0xFFFF) | 3, wide, 3);
  }

  private static void checkEnabled(Cpu c) {
    boolean here = intel(c) ? code64(c) : (c.mode & Mode.PROTECTED) != 0;
    if ((c.efer & Msrs.EFER_SCE) == 0 || !here) {
      throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "SYSCALL", flow = Flow.END)
  public static void call(Cpu c, Insn i) {
    checkEnabled(c);
    long target;
    long cleared;
    boolean wide = longMode(c);
    c.gpr[Cpu.RCX] = c.nextRip(i);
    if (wide) {
      c.gpr[11] = Rflags.get(c) & ~Rflags.RF;
      target = code64(c) ? c.msrs.lstar : c.msrs.cstar;
      cleared = c.msrs.fmask | Rflags.RF | Rflags.VM;
    } else {
      target = c.msrs.star & LOW;
      cleared = Rflags.IF | Rflags.RF | Rflags.VM;
    }
    Rflags.set(c, 0, cleared);
    toKernel(c, wide);
    c.debug.stepByNewFlags();
    c.jump(target);
  }

  @Meaning(value = "SYSRET", flow = Flow.END)
  public static void callReturn(Cpu c, Insn i) {
    checkEnabled(c);
    boolean wide = i.operandSize == 64;
    long target = c.gpr[Cpu.RCX];
    if (!wide) {
      target &= LOW;
    } else if (intel(c) && !Msrs.canonical(target)) {
      throw c.fault(Fault.GP, 0);
    }
    if (longMode(c)) {
      Rflags.set(c, c.gpr[11] & RETURNED, Rflags.ALL);
    } else {
      Rflags.set(c, Rflags.IF, Rflags.IF);
    }
    toUser(c, wide);
    c.debug.stepByNewFlags();
    c.jump(target);
  }

  private static int enterSelector(Cpu c) {
    int selector = (int) c.msrs.sysenterCs & 0xFFFC;
    if ((c.cr0 & ControlRegisters.PE) == 0 || selector == 0) {
      throw c.fault(Fault.GP, 0);
    }
    return selector;
  }

  private static void checkEnter(Cpu c) {
    if (longMode(c) && !intel(c)) {
      throw c.fault(Fault.UD);
    }
  }

  @Meaning(value = "SYSENTER", flow = Flow.END)
  public static void enter(Cpu c, Insn i) {
    checkEnter(c);
    int selector = enterSelector(c);
    boolean wide = longMode(c);
    Rflags.set(c, 0, Rflags.IF | Rflags.VM | Rflags.RF);
    enter(c, selector, selector + 8, wide, 0);
    c.gpr[Cpu.RSP] = wide ? c.msrs.sysenterEsp : c.msrs.sysenterEsp & LOW;
    c.jump(wide ? c.msrs.sysenterEip : c.msrs.sysenterEip & LOW);
  }

  @Meaning(value = "SYSEXIT", flow = Flow.END)
  public static void exit(Cpu c, Insn i) {
    checkEnter(c);
    int selector = enterSelector(c);
    boolean wide = i.operandSize == 64;
    long target = c.gpr[Cpu.RDX];
    long stack = c.gpr[Cpu.RCX];
    if (!wide) {
      target &= LOW;
      stack &= LOW;
    } else if (!Msrs.canonical(target) || !Msrs.canonical(stack)) {
      throw c.fault(Fault.GP, 0);
    }
    int code = selector + (wide ? 32 : 16);
    enter(c, code | 3, code + 8 | 3, wide, 3);
    c.gpr[Cpu.RSP] = stack;
    c.jump(target);
  }
}
