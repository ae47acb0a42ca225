package dev.troupe.runtime.cpu;

/**
 * Delivery of exceptions and interrupts through the IDT (Intel SDM vol. 3A, chapter 6; vol. 2A, INT
 * n), with double fault and shutdown (table 6-5). An event is delivered whole: what faults on the
 * way leaves the vCPU as it was, and is delivered instead.
 */
public final class Exceptions {
  /** Where an event comes from: decides gate privilege checks and the error code's EXT bit. */
  public enum Kind {
    /** An exception that an instruction or a debug condition raised. */
    EXCEPTION,
    /** An interrupt from outside, an NMI included. */
    EXTERNAL,
    /** INT n, INT3, INTO: the gate's DPL counts. */
    SOFTWARE,
    /** INT1: as SOFTWARE, but the gate's DPL does not count. */
    PRIVILEGED_SOFTWARE
  }

  /** IDT, bit 1 of an error code: it names an IDT entry. */
  private static final int ERROR_IDT = 2;

  /** Contributory exceptions of table 6-4: #DE #TS #NP #SS #GP. */
  private static final int CONTRIBUTORY =
      1 << Fault.DE | 1 << Fault.TS | 1 << Fault.NP | 1 << Fault.SS | 1 << Fault.GP;

  /** Deliveries that fault in a row before the vCPU shuts down; the table's longest chain is 3. */
  private static final int MAXIMUM_ATTEMPTS = 8;

  private final Cpu cpu;
  private final StackFrame stack;

  Exceptions(Cpu cpu, StackFrame stack) {
    this.cpu = cpu;
    this.stack = stack;
  }

  /** Delivers what an instruction threw; {@link Cpu#rip} is that instruction's. */
  public void deliver(Fault fault) {
    if (fault.vector == Fault.PF) {
      cpu.cr2 = fault.address;
    }
    // Faults save RF set, so that an instruction breakpoint there is not met again (17.3.1.1).
    deliver(fault.vector, fault.error, Kind.EXCEPTION, cpu.rip, fault.vector != Fault.DF);
  }

  /**
   * Delivers a trap between instructions, a single step for example: {@link Cpu#rip} is the next.
   */
  public void trap(int vector) {
    deliver(vector, Fault.NO_ERROR_CODE, Kind.EXCEPTION, cpu.rip, false);
  }

  /** Delivers an external interrupt or an NMI between instructions or REP iterations. */
  public void interrupt(int vector) {
    deliver(vector, Fault.NO_ERROR_CODE, Kind.EXTERNAL, cpu.rip, false);
  }

  /**
   * INT n, INT3, INTO, INT1: {@link Cpu#rip} is the instruction's, and faults of the delivery save
   * that; the event itself saves {@code nextRip}.
   */
  public void software(int vector, long nextRip, Kind kind) {
    deliver(vector, Fault.NO_ERROR_CODE, kind, nextRip, false);
    cpu.debug.softwareInterrupt();
    cpu.jump(cpu.rip);
  }

  private void deliver(int vector, int error, Kind kind, long savedRip, boolean resume) {
    // The event, its fault, and what that turns into: a handler at CPL 3 on an unaligned stack
    // would
    // raise #AC for ever (hardware hangs there too, CVE-2015-5307).
    int attempts = 0;
    int nowVector = vector;
    int nowError = error;
    Kind nowKind = kind;
    long nowRip = savedRip;
    boolean nowResume = resume;
    cpu.shadow = 0;
    while (true) {
      try {
        boolean soft = nowKind == Kind.SOFTWARE || nowKind == Kind.PRIVILEGED_SOFTWARE;
        cpu.segmentation.external = soft ? 0 : 1;
        once(nowVector, nowError, nowKind, nowRip, nowResume);
        return;
      } catch (Fault second) {
        int next = second.vector;
        if (next == Fault.PF) {
          cpu.cr2 = second.address;
        }
        boolean exception = nowKind == Kind.EXCEPTION;
        boolean third = exception && nowVector == Fault.DF && isSerious(next);
        if (third || ++attempts == MAXIMUM_ATTEMPTS) {
          shutDown();
          return;
        }
        boolean twice =
            exception
                && (nowVector == Fault.PF
                    ? isSerious(next)
                    : isContributory(nowVector) && isContributory(next));
        nowVector = twice ? Fault.DF : next;
        nowError = twice ? 0 : second.error;
        nowKind = Kind.EXCEPTION;
        nowRip = cpu.rip;
        nowResume = !twice;
      } finally {
        cpu.segmentation.external = 0;
      }
    }
  }

  private static boolean isContributory(int vector) {
    return (CONTRIBUTORY >>> vector & 1) != 0;
  }

  private static boolean isSerious(int vector) {
    return vector == Fault.PF || isContributory(vector);
  }

  private void shutDown() {
    cpu.activity = Cpu.Activity.SHUTDOWN;
    cpu.attend();
  }

  private void once(int vector, int error, Kind kind, long savedRip, boolean resume) {
    long flags = Rflags.get(cpu);
    if ((cpu.mode & Mode.PROTECTED) == 0) {
      real(vector, savedRip, flags);
      return;
    }
    if (resume) {
      flags |= Rflags.RF;
    }
    if ((cpu.mode & Mode.LONG) != 0) {
      longMode(vector, error, kind, savedRip, flags);
    } else {
      protectedMode(vector, error, kind, savedRip, flags);
    }
  }

  // Real mode (20.1.4) ---------------------------------------------------------------------------

  private void real(int vector, long savedRip, long flags) {
    if (4 * vector + 3 > cpu.idtLimit) {
      throw cpu.fault(Fault.GP, 0);
    }
    long pointer = cpu.mmu.loadSystem32((cpu.idtBase + 4L * vector) & 0xFFFF_FFFFL);
    stack.current();
    stack.push(2, flags);
    stack.push(2, cpu.selector[Cpu.CS]);
    stack.push(2, savedRip);
    stack.commit();
    cpu.segmentation.setReal(Cpu.CS, (int) (pointer >>> 16));
    cpu.rip = pointer & 0xFFFF;
    Rflags.set(cpu, 0, Rflags.IF | Rflags.TF | Rflags.RF | Rflags.AC);
    cpu.updateMode();
  }

  // Gates ----------------------------------------------------------------------------------------

  private Fault idtFault(int vector, int entry) {
    return cpu.fault(vector, entry << 3 | ERROR_IDT | cpu.segmentation.external);
  }

  private long gate(int vector, int bytes, Kind kind) {
    int offset = vector * bytes;
    if (offset + bytes - 1 > cpu.idtLimit) {
      throw idtFault(Fault.GP, vector);
    }
    long gate = cpu.mmu.loadSystem64(linear(cpu.idtBase + offset));
    int type = Descriptor.type(gate);
    boolean known =
        type == Descriptor.INTERRUPT_GATE_32
            || type == Descriptor.TRAP_GATE_32
            || (bytes == 8
                && (type == Descriptor.INTERRUPT_GATE_16
                    || type == Descriptor.TRAP_GATE_16
                    || type == Descriptor.TASK_GATE));
    if (!known || (kind == Kind.SOFTWARE && Descriptor.dpl(gate) < cpu.cpl)) {
      throw idtFault(Fault.GP, vector);
    }
    if (!Descriptor.present(gate)) {
      throw idtFault(Fault.NP, vector);
    }
    return gate;
  }

  private long linear(long address) {
    return (cpu.mode & Mode.LONG) != 0 ? address : address & 0xFFFF_FFFFL;
  }

  /** The handler's checked code descriptor. */
  private long handler(int selector) {
    if (Segmentation.isNull(selector)) {
      throw cpu.fault(Fault.GP, cpu.segmentation.external);
    }
    long code = cpu.segmentation.descriptor(selector, Fault.GP);
    if (!Descriptor.isCode(code) || Descriptor.dpl(code) > cpu.cpl) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    return code;
  }

  private long usable(int selector, long code) {
    if (!Descriptor.present(code)) {
      throw cpu.segmentation.fault(Fault.NP, selector);
    }
    return cpu.segmentation.accessed(selector, code);
  }

  /** What a handler starts with: no TF, NT, RF, VM, and no IF behind an interrupt gate. */
  private void enter(long gate, long target) {
    // Bit 0 of the type tells trap gates from interrupt gates.
    boolean trapGate = (Descriptor.type(gate) & 1) != 0;
    Rflags.set(cpu, 0, Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | (trapGate ? 0 : Rflags.IF));
    cpu.rip = target;
    cpu.updateMode();
  }

  // IA-32e mode (6.14) ---------------------------------------------------------------------------

  private void longMode(int vector, int error, Kind kind, long savedRip, long flags) {
    long gate = gate(vector, 16, kind);
    long target =
        Descriptor.gateOffset(gate) | cpu.mmu.loadSystem64(cpu.idtBase + 16L * vector + 8) << 32;
    int selector = Descriptor.gateSelector(gate);
    long code = handler(selector);
    if (Descriptor.isLongAndBig(code) || (code >>> 40 & Descriptor.LONG) == 0) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    code = usable(selector, code);
    int level = Descriptor.isConforming(code) ? cpu.cpl : Descriptor.dpl(code);
    int index = Descriptor.gateStack(gate);
    long pointer;
    if (index != 0) {
      pointer = cpu.tasks.interruptStack(index);
    } else if (level < cpu.cpl) {
      pointer = cpu.tasks.longStackPointer(level);
    } else {
      pointer = cpu.gpr[Cpu.RSP];
    }
    if (!Segmentation.canonical(target)) {
      throw cpu.fault(Fault.GP, cpu.segmentation.external);
    }
    stack.flat(pointer & -16L, level);
    stack.push(8, cpu.selector[Cpu.SS]);
    stack.push(8, cpu.gpr[Cpu.RSP]);
    stack.push(8, flags);
    stack.push(8, cpu.selector[Cpu.CS]);
    stack.push(8, savedRip);
    if (error != Fault.NO_ERROR_CODE) {
      stack.push(8, error);
    }
    boolean inner = level < cpu.cpl;
    cpu.segmentation.setCode(selector, code, level);
    if (inner) {
      cpu.segmentation.setNull(Cpu.SS, level);
    }
    stack.commit();
    enter(gate, target);
  }

  // Protected and virtual-8086 mode (6.12, 20.3)
  // ---------------------------------------------------

  private void protectedMode(int vector, int error, Kind kind, long savedRip, long flags) {
    long gate = gate(vector, 8, kind);
    int type = Descriptor.type(gate);
    if (type == Descriptor.TASK_GATE) {
      cpu.tasks.enterForEvent(Descriptor.gateSelector(gate), savedRip, flags);
      if (error != Fault.NO_ERROR_CODE) {
        cpu.tasks.pushError(error);
      }
      return;
    }
    int size = type >= Descriptor.INTERRUPT_GATE_32 ? 4 : 2;
    long offset = Descriptor.gateOffset(gate);
    long target = size == 4 ? offset : offset & 0xFFFF;
    int selector = Descriptor.gateSelector(gate);
    long code = handler(selector);
    code = usable(selector, code);
    boolean v86 = (cpu.mode & Mode.V86) != 0;
    int level = Descriptor.isConforming(code) ? cpu.cpl : Descriptor.dpl(code);
    // From virtual-8086 mode only a handler at level 0 may be entered (20.3.1).
    if (v86 && level != 0) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    if (target > Descriptor.limit(code)) {
      throw cpu.fault(Fault.GP, cpu.segmentation.external);
    }
    int stackSelector = -1;
    long stackDescriptor = 0;
    if (level < cpu.cpl) {
      long pointer = cpu.tasks.stackPointer(level);
      stackSelector = cpu.tasks.stackSelector(level);
      stackDescriptor = cpu.segmentation.stackDescriptor(stackSelector, level, Fault.TS);
      stackDescriptor = cpu.segmentation.accessed(stackSelector, stackDescriptor);
      stack.other(stackSelector, stackDescriptor, pointer, level);
      if (v86) {
        stack.push(size, cpu.selector[Cpu.GS]);
        stack.push(size, cpu.selector[Cpu.FS]);
        stack.push(size, cpu.selector[Cpu.DS]);
        stack.push(size, cpu.selector[Cpu.ES]);
      }
      stack.push(size, cpu.selector[Cpu.SS]);
      stack.push(size, cpu.gpr[Cpu.RSP]);
    } else {
      stack.current();
    }
    stack.push(size, flags);
    stack.push(size, cpu.selector[Cpu.CS]);
    stack.push(size, savedRip);
    if (error != Fault.NO_ERROR_CODE) {
      stack.push(size, error);
    }
    if (v86) {
      cpu.segmentation.setNull(Cpu.GS, 0);
      cpu.segmentation.setNull(Cpu.FS, 0);
      cpu.segmentation.setNull(Cpu.DS, 0);
      cpu.segmentation.setNull(Cpu.ES, 0);
    }
    if (stackSelector >= 0) {
      cpu.segmentation.set(Cpu.SS, stackSelector, stackDescriptor);
    }
    cpu.segmentation.setCode(selector, code, level);
    stack.commit();
    enter(gate, target);
  }
}
