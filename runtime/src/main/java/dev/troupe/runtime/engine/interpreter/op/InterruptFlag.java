package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/**
 * Who may change IF, and what becomes of the attempt (Intel SDM vol. 2, CLI, STI, PUSHF, POPF; vol.
 * 3B, 20.3 for VME and PVI).
 */
public final class InterruptFlag {
  /** POPF changes these at CPL 0; RF it clears; VM, VIF and VIP stay. */
  private static final long POPPED =
      Rflags.ARITHMETIC
          | Rflags.TF
          | Rflags.IF
          | Rflags.DF
          | Rflags.IOPL
          | Rflags.NT
          | Rflags.AC
          | Rflags.ID;

  private InterruptFlag() {}

  private static int iopl(Cpu c) {
    return (int) (c.systemFlags >> Rflags.IOPL_SHIFT) & 3;
  }

  private static boolean v86(Cpu c) {
    return (c.mode & Mode.V86) != 0;
  }

  /** True if CLI and STI change IF itself. */
  private static boolean owns(Cpu c) {
    return v86(c) ? iopl(c) == 3 : c.cpl <= iopl(c);
  }

  /** True if they change VIF instead; else they #GP. */
  private static boolean virtual(Cpu c) {
    return c.cpl == 3 && (c.cr4 & (v86(c) ? ControlRegisters.VME : ControlRegisters.PVI)) != 0;
  }

  @Meaning(value = "CLI", flow = Flow.END)
  public static void clear(Cpu c, Insn i) {
    if (owns(c)) {
      c.systemFlags &= ~Rflags.IF;
    } else if (virtual(c)) {
      c.systemFlags &= ~Rflags.VIF;
    } else {
      throw c.fault(Fault.GP, 0);
    }
  }

  /** Interrupts stay out until the instruction after an STI that set IF has been executed. */
  @Meaning(value = "STI", flow = Flow.END)
  public static void set(Cpu c, Insn i) {
    if (owns(c)) {
      if ((c.systemFlags & Rflags.IF) == 0) {
        c.shadow = Cpu.SHADOW_STI;
        Rflags.set(c, Rflags.IF, Rflags.IF);
      }
    } else if (virtual(c) && (c.systemFlags & Rflags.VIP) == 0) {
      c.systemFlags |= Rflags.VIF;
    } else {
      throw c.fault(Fault.GP, 0);
    }
  }

  @Meaning(value = "PUSHF", flow = Flow.NEXT)
  public static void push(Cpu c, Insn i) {
    long flags = Rflags.get(c) & ~(Rflags.RF | Rflags.VM);
    if (v86(c) && iopl(c) < 3) {
      if (i.operandSize != 16 || (c.cr4 & ControlRegisters.VME) == 0) {
        throw c.fault(Fault.GP, 0);
      }
      // The 8086 program sees its own IF, and IOPL 3.
      flags = (flags & ~Rflags.IF) | Rflags.IOPL;
      flags |= (flags & Rflags.VIF) != 0 ? Rflags.IF : 0;
    }
    Stack.push(c, flags, i.operandSize);
  }

  @Meaning(value = "POPF", flow = Flow.END)
  public static void pop(Cpu c, Insn i) {
    int size = i.operandSize;
    boolean virtual = v86(c) && iopl(c) < 3;
    if (virtual && (size != 16 || (c.cr4 & ControlRegisters.VME) == 0)) {
      throw c.fault(Fault.GP, 0);
    }
    long pointer = c.gpr[Cpu.RSP];
    long image = Stack.pop(c, size);
    long mask = size == 16 ? POPPED & 0xFFFF : POPPED;
    if (virtual) {
      boolean enables = (image & Rflags.IF) != 0;
      if ((image & Rflags.TF) != 0 || (enables && (c.systemFlags & Rflags.VIP) != 0)) {
        c.gpr[Cpu.RSP] = pointer;
        throw c.fault(Fault.GP, 0);
      }
      image |= enables ? Rflags.VIF : 0;
      mask = (mask & ~(Rflags.IF | Rflags.IOPL)) | Rflags.VIF;
    } else if (v86(c)) {
      mask &= ~Rflags.IOPL;
    } else if (c.cpl != 0) {
      mask &= ~(c.cpl <= iopl(c) ? Rflags.IOPL : Rflags.IOPL | Rflags.IF);
    }
    Rflags.set(c, image & ~Rflags.RF, mask | Rflags.RF);
  }
}
