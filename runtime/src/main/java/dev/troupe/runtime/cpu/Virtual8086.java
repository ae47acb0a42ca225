package dev.troupe.runtime.cpu;

/**
 * Virtual-8086 mode with CR4.VME: INT n by the 8086 program's own vectors, and IRET with the
 * virtual interrupt flag (Intel SDM vol. 3B, 20.3.3 and 20.4; AMD APM vol. 3, INT and IRET, whose
 * words say what becomes of IRET below IOPL 3).
 */
public final class Virtual8086 {
  private static final int TSS_TYPE = 0xF;
  private static final int TSS_BUSY_32 = 11;
  private static final int MAP_BASE = 0x66;
  private static final int MINIMUM_LIMIT = 0x67;

  /** The redirection bitmap lies right below the I/O permission bitmap. */
  private static final int REDIRECTION_BYTES = 32;

  private final Cpu cpu;
  private final StackFrame stack;

  Virtual8086(Cpu cpu, StackFrame stack) {
    this.cpu = cpu;
    this.stack = stack;
  }

  /** True below IOPL 3: what the program does to IF happens to VIF, or faults. */
  private boolean virtual() {
    return (cpu.systemFlags & Rflags.IOPL) != Rflags.IOPL;
  }

  private boolean extensions() {
    return (cpu.cr4 & ControlRegisters.VME) != 0;
  }

  /**
   * INT n, unless it goes through the IDT as everywhere else.
   *
   * @return false if it does: methods 1 and 4 of table 20-2
   */
  public boolean interrupt(int vector, long nextRip) {
    if (extensions() && redirects(vector)) {
      redirect(vector, nextRip);
      return true;
    }
    if (virtual()) {
      throw cpu.fault(Fault.GP, 0);
    }
    return false;
  }

  private boolean redirects(int vector) {
    long limit = cpu.segmentLimit[Cpu.TR];
    if ((cpu.segmentAttributes[Cpu.TR] & TSS_TYPE) != TSS_BUSY_32 || limit < MINIMUM_LIMIT) {
      throw cpu.fault(Fault.GP, 0);
    }
    long base = cpu.segmentBase[Cpu.TR];
    long at = cpu.mmu.loadSystem16(base + MAP_BASE) - REDIRECTION_BYTES + (vector >> 3);
    if (at < 0 || at > limit) {
      throw cpu.fault(Fault.GP, 0);
    }
    return (cpu.mmu.loadSystem8(base + at) >> (vector & 7) & 1) == 0;
  }

  /** Methods 5 and 6: as in real mode, with the vectors at linear address 0. */
  private void redirect(int vector, long nextRip) {
    boolean virtual = virtual();
    long flags = Rflags.get(cpu);
    if (virtual) {
      flags = (flags & ~Rflags.IF) | Rflags.IOPL | ((flags & Rflags.VIF) != 0 ? Rflags.IF : 0);
    }
    long pointer = cpu.mmu.load32(4L * vector);
    stack.current();
    stack.push(2, flags);
    stack.push(2, cpu.selector[Cpu.CS]);
    stack.push(2, nextRip);
    stack.commit();
    cpu.segmentation.setReal(Cpu.CS, (int) (pointer >>> 16));
    Rflags.set(cpu, 0, Rflags.TF | (virtual ? Rflags.VIF : Rflags.IF));
    cpu.updateMode();
    cpu.debug.softwareInterrupt();
    cpu.jump(pointer & 0xFFFF);
  }

  /** IRET and IRETD, which stay in this mode. */
  void iret(int size) {
    boolean virtual = virtual();
    if (virtual && (!extensions() || size != 2)) {
      throw cpu.fault(Fault.GP, 0);
    }
    stack.current();
    long offset = stack.pop(size);
    int selector = (int) stack.pop(size) & 0xFFFF;
    long flags = stack.pop(size);
    boolean enables = (flags & Rflags.IF) != 0;
    boolean lets = enables && (cpu.systemFlags & Rflags.VIP) != 0;
    if (offset > cpu.segmentLimit[Cpu.CS] || (virtual && (lets || (flags & Rflags.TF) != 0))) {
      throw cpu.fault(Fault.GP, 0);
    }
    stack.commit();
    cpu.segmentation.setReal(Cpu.CS, selector);
    long mask = Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT;
    mask |= virtual ? Rflags.VIF : Rflags.IF;
    if (size > 2) {
      mask |= Rflags.RF | Rflags.AC | Rflags.ID;
    }
    Rflags.set(cpu, enables ? flags | Rflags.VIF : flags & ~Rflags.VIF, mask);
    cpu.updateMode();
    cpu.jump(offset);
  }
}
