package dev.troupe.runtime.cpu;

/**
 * Far JMP, CALL and RET, and IRET (Intel SDM vol. 2A and 2B, under these names; vol. 3A, 5.8). Each
 * ends with {@link Cpu#jump}, or throws with nothing changed.
 */
public final class FarTransfer {
  private static final long MASK_16 = 0xFFFF;
  private static final long MASK_32 = 0xFFFF_FFFFL;

  /** The largest parameter count of a call gate. */
  private static final int MAXIMUM_PARAMETERS = 31;

  private final Cpu cpu;
  private final StackFrame stack;
  private final long[] parameters = new long[MAXIMUM_PARAMETERS];

  FarTransfer(Cpu cpu, StackFrame stack) {
    this.cpu = cpu;
    this.stack = stack;
  }

  private static long truncate(long value, int size) {
    return switch (size) {
      case 2 -> value & MASK_16;
      case 4 -> value & MASK_32;
      default -> value;
    };
  }

  private boolean longMode() {
    return (cpu.mode & Mode.LONG) != 0;
  }

  /** Whether a transfer to this checked code segment ends in 64-bit mode. */
  private boolean code64(long code) {
    return longMode() && (code >>> 40 & Descriptor.LONG) != 0;
  }

  /** Checks an offset against a code segment that is not loaded yet. */
  private long target(long code, long offset) {
    boolean inside =
        code64(code) ? Segmentation.canonical(offset) : offset <= Descriptor.limit(code);
    if (!inside) {
      throw cpu.fault(Fault.GP, 0);
    }
    return code64(code) ? offset : offset & MASK_32;
  }

  /** The descriptor of a code segment: #GP(selector) if it is no proper one. */
  private long code(int selector) {
    if (Segmentation.isNull(selector)) {
      throw cpu.fault(Fault.GP, 0);
    }
    long code = cpu.segmentation.descriptor(selector, Fault.GP);
    if (!Descriptor.isCode(code) || (longMode() && Descriptor.isLongAndBig(code))) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    return code;
  }

  private long present(int selector, long code) {
    if (!Descriptor.present(code)) {
      throw cpu.segmentation.fault(Fault.NP, selector);
    }
    return cpu.segmentation.accessed(selector, code);
  }

  // JMP and CALL ---------------------------------------------------------------------------------

  /**
   * JMP ptr16:16/32 and m16:16/32/64.
   *
   * @param offset zero-extended from the operand size
   * @param nextRip what a task switch saves
   */
  public void jump(int selector, long offset, long nextRip) {
    if (!cpu.segmentation.isProtected()) {
      real(selector, offset);
      return;
    }
    if (Segmentation.isNull(selector)) {
      throw cpu.fault(Fault.GP, 0);
    }
    long d = cpu.segmentation.descriptor(selector, Fault.GP);
    if ((Descriptor.type(d) & Descriptor.SEGMENT) != 0) {
      long code = direct(selector);
      enter(selector, code, cpu.cpl, target(code, offset));
      return;
    }
    if (isTask(selector, d)) {
      cpu.tasks.jump(task(selector, d), nextRip);
      return;
    }
    int codeSelector = callGate(selector, d);
    long code = code(codeSelector);
    checkGateCode(codeSelector, code);
    boolean allowed =
        Descriptor.isConforming(code)
            ? Descriptor.dpl(code) <= cpu.cpl
            : Descriptor.dpl(code) == cpu.cpl;
    if (!allowed) {
      throw cpu.segmentation.fault(Fault.GP, codeSelector);
    }
    code = present(codeSelector, code);
    enter(codeSelector, code, cpu.cpl, target(code, gateOffset(selector, d)));
  }

  /**
   * CALL ptr16:16/32 and m16:16/32/64.
   *
   * @param offset zero-extended from the operand size
   * @param size operand size in bytes: of what is pushed, unless a gate says otherwise
   */
  public void call(int selector, long offset, int size, long nextRip) {
    if (!cpu.segmentation.isProtected()) {
      if (offset > cpu.segmentLimit[Cpu.CS]) {
        throw cpu.fault(Fault.GP, 0);
      }
      pushReturn(size, nextRip, false);
      stack.commit();
      real(selector, offset);
      return;
    }
    if (Segmentation.isNull(selector)) {
      throw cpu.fault(Fault.GP, 0);
    }
    long d = cpu.segmentation.descriptor(selector, Fault.GP);
    if ((Descriptor.type(d) & Descriptor.SEGMENT) != 0) {
      long code = direct(selector);
      // A bad target faults after the push, and the stack is as wide as the target has it: as on
      // processors.
      pushReturn(size, nextRip, code64(code));
      enterWithStack(selector, code, cpu.cpl, target(code, offset));
      return;
    }
    if (isTask(selector, d)) {
      cpu.tasks.call(task(selector, d), nextRip);
      return;
    }
    int codeSelector = callGate(selector, d);
    long code = code(codeSelector);
    checkGateCode(codeSelector, code);
    if (Descriptor.dpl(code) > cpu.cpl) {
      throw cpu.segmentation.fault(Fault.GP, codeSelector);
    }
    code = present(codeSelector, code);
    long target = target(code, gateOffset(selector, d));
    int gateSize = longMode() ? 8 : Descriptor.type(d) == Descriptor.CALL_GATE_32 ? 4 : 2;
    if (Descriptor.isConforming(code) || Descriptor.dpl(code) == cpu.cpl) {
      pushReturn(gateSize, nextRip, code64(code));
      enterWithStack(codeSelector, code, cpu.cpl, target);
    } else if (longMode()) {
      callInner64(codeSelector, code, target, nextRip);
    } else {
      callInner(codeSelector, code, target, gateSize, Descriptor.gateCount(d), nextRip);
    }
  }

  private void real(int selector, long offset) {
    if (offset > cpu.segmentLimit[Cpu.CS]) {
      throw cpu.fault(Fault.GP, 0);
    }
    cpu.segmentation.setReal(Cpu.CS, selector);
    cpu.updateMode();
    cpu.jump(offset);
  }

  private void pushReturn(int size, long nextRip, boolean to64) {
    if (to64) {
      stack.flat(cpu.gpr[Cpu.RSP], cpu.cpl);
    } else {
      stack.current();
    }
    stack.push(size, cpu.selector[Cpu.CS]);
    stack.push(size, nextRip);
  }

  /** A code segment named by the instruction itself: the level stays. */
  private long direct(int selector) {
    long code = code(selector);
    int dpl = Descriptor.dpl(code);
    boolean allowed =
        Descriptor.isConforming(code)
            ? dpl <= cpu.cpl
            : dpl == cpu.cpl && (selector & 3) <= cpu.cpl;
    if (!allowed) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    return present(selector, code);
  }

  private boolean isTask(int selector, long d) {
    int type = Descriptor.type(d);
    boolean tss = type == Descriptor.TSS_16 || type == Descriptor.TSS_32;
    if (!tss && type != Descriptor.TASK_GATE) {
      return false;
    }
    if (longMode()) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    return true;
  }

  /** The TSS selector of a TSS or task gate that may be used from here. */
  private int task(int selector, long d) {
    checkGate(selector, d);
    return Descriptor.type(d) == Descriptor.TASK_GATE ? Descriptor.gateSelector(d) : selector;
  }

  private void checkGate(int selector, long d) {
    int dpl = Descriptor.dpl(d);
    if (dpl < cpu.cpl || dpl < (selector & 3)) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    if (!Descriptor.present(d)) {
      throw cpu.segmentation.fault(Fault.NP, selector);
    }
  }

  private int callGate(int selector, long d) {
    int type = Descriptor.type(d);
    boolean known =
        type == Descriptor.CALL_GATE_32 || (type == Descriptor.CALL_GATE_16 && !longMode());
    if (!known) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    checkGate(selector, d);
    if (longMode()) {
      cpu.segmentation.descriptorHigh(selector, Fault.GP);
    }
    return Descriptor.gateSelector(d);
  }

  private long gateOffset(int selector, long d) {
    long offset = Descriptor.gateOffset(d);
    if (longMode()) {
      return offset | cpu.segmentation.descriptorHigh(selector, Fault.GP) << 32;
    }
    return Descriptor.type(d) == Descriptor.CALL_GATE_16 ? offset & MASK_16 : offset;
  }

  /** Call gates of IA-32e mode lead to 64-bit code only (5.8.3.1). */
  private void checkGateCode(int selector, long code) {
    if (longMode() && !code64(code)) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
  }

  private void callInner(int selector, long code, long target, int size, int count, long nextRip) {
    int level = Descriptor.dpl(code);
    long pointer = cpu.tasks.stackPointer(level);
    int stackSelector = cpu.tasks.stackSelector(level);
    long stackCode = cpu.segmentation.stackDescriptor(stackSelector, level, Fault.TS);
    stackCode = cpu.segmentation.accessed(stackSelector, stackCode);
    stack.current();
    for (int i = 0; i < count; i++) {
      parameters[i] = stack.peek(size, i * size);
    }
    stack.other(stackSelector, stackCode, pointer, level);
    stack.push(size, cpu.selector[Cpu.SS]);
    stack.push(size, cpu.gpr[Cpu.RSP]);
    for (int i = count - 1; i >= 0; i--) {
      stack.push(size, parameters[i]);
    }
    stack.push(size, cpu.selector[Cpu.CS]);
    stack.push(size, nextRip);
    cpu.segmentation.set(Cpu.SS, stackSelector, stackCode);
    enterWithStack(selector, code, level, target);
  }

  private void callInner64(int selector, long code, long target, long nextRip) {
    int level = Descriptor.dpl(code);
    stack.flat(cpu.tasks.longStackPointer(level), level);
    stack.push(8, cpu.selector[Cpu.SS]);
    stack.push(8, cpu.gpr[Cpu.RSP]);
    stack.push(8, cpu.selector[Cpu.CS]);
    stack.push(8, nextRip);
    cpu.segmentation.setNull(Cpu.SS, level);
    enterWithStack(selector, code, level, target);
  }

  private void enterWithStack(int selector, long code, int level, long target) {
    stack.commit();
    enter(selector, code, level, target);
  }

  private void enter(int selector, long code, int level, long target) {
    cpu.segmentation.setCode(selector, code, level);
    cpu.updateMode();
    cpu.jump(target);
  }

  // RET and IRET ---------------------------------------------------------------------------------

  /**
   * RETF and RETF imm16.
   *
   * @param size operand size in bytes
   * @param parameterBytes 0 to 65535: skipped on both stacks
   */
  public void ret(int size, int parameterBytes) {
    stack.current();
    // Processors read the selector first, and no more than it: that decides which fault is seen.
    int selector = (int) stack.peek(2, size);
    long offset = stack.pop(size);
    stack.skip(size);
    if (!cpu.segmentation.isProtected()) {
      if (offset > cpu.segmentLimit[Cpu.CS]) {
        throw cpu.fault(Fault.GP, 0);
      }
      stack.skip(parameterBytes);
      stack.commit();
      real(selector, offset);
      return;
    }
    long code = returnCode(selector);
    long target = target(code, offset);
    if (code64(code)) {
      stack.skipFlat(parameterBytes); // the stack is as wide as the new code has it
    } else {
      stack.skip(parameterBytes);
    }
    if ((selector & 3) == cpu.cpl) {
      enterWithStack(selector, code, cpu.cpl, target);
    } else {
      popOuter(size, selector, code, target, parameterBytes);
    }
  }

  private long returnCode(int selector) {
    long code = code(selector);
    int level = selector & 3;
    int dpl = Descriptor.dpl(code);
    boolean allowed =
        level >= cpu.cpl && (Descriptor.isConforming(code) ? dpl <= level : dpl == level);
    if (!allowed) {
      throw cpu.segmentation.fault(Fault.GP, selector);
    }
    return present(selector, code);
  }

  /** The second half of a return that pops SS:RSP. */
  private void popOuter(int size, int selector, long code, long target, int parameterBytes) {
    long pointer = stack.pop(size);
    int stackSelector = (int) stack.pop(size) & 0xFFFF;
    int old = cpu.cpl;
    int level = selector & 3;
    long stackCode = 0;
    if (Segmentation.isNull(stackSelector)) {
      if (!code64(code) || level == 3 || (stackSelector & 3) != level) {
        throw cpu.fault(Fault.GP, 0);
      }
    } else {
      stackCode = cpu.segmentation.stackDescriptor(stackSelector, level, Fault.GP);
      stackCode = cpu.segmentation.accessed(stackSelector, stackCode);
    }
    cpu.segmentation.setCode(selector, code, level);
    if (Segmentation.isNull(stackSelector)) {
      cpu.segmentation.setNull(Cpu.SS, stackSelector);
    } else {
      cpu.segmentation.set(Cpu.SS, stackSelector, stackCode);
    }
    cpu.updateMode();
    setStackPointer(size, pointer, parameterBytes);
    if (level > old) {
      cpu.segmentation.dropInnerSegments();
      cpu.updateMode();
    }
    cpu.jump(target);
  }

  // With a 16-bit stack segment only SP is loaded (the rest stays: SDM vol. 2, IRET).
  private void setStackPointer(int size, long pointer, int parameterBytes) {
    boolean wide = (cpu.mode & (Mode.CODE_64 | Mode.STACK_32)) != 0;
    if (wide) {
      long mask = (cpu.mode & Mode.CODE_64) != 0 ? -1 : MASK_32;
      cpu.gpr[Cpu.RSP] = (truncate(pointer, size) + parameterBytes) & mask;
    } else {
      long low = (pointer + parameterBytes) & MASK_16;
      cpu.gpr[Cpu.RSP] = (cpu.gpr[Cpu.RSP] & ~MASK_16) | low;
    }
  }

  /**
   * IRET, IRETD, IRETQ. Ends the blocking of NMIs.
   *
   * @param size operand size in bytes
   * @param nextRip what a task switch saves
   */
  public void iret(int size, long nextRip) {
    if ((cpu.mode & Mode.V86) != 0) {
      cpu.virtual8086.iret(size);
    } else if (!cpu.segmentation.isProtected()) {
      iretReal(size);
    } else if ((cpu.systemFlags & Rflags.NT) != 0) {
      if (longMode()) {
        throw cpu.fault(Fault.GP, 0);
      }
      cpu.tasks.back(nextRip);
    } else {
      iretProtected(size);
    }
    if (cpu.nmiBlocked) {
      cpu.nmiBlocked = false;
      cpu.interruptsOpened();
    }
  }

  private void iretReal(int size) {
    stack.current();
    long offset = stack.pop(size);
    int selector = (int) stack.pop(size) & 0xFFFF;
    long flags = stack.pop(size);
    if (offset > cpu.segmentLimit[Cpu.CS]) {
      throw cpu.fault(Fault.GP, 0);
    }
    stack.commit();
    cpu.segmentation.setReal(Cpu.CS, selector);
    long mask = Rflags.ARITHMETIC | Rflags.TF | Rflags.IF | Rflags.DF | Rflags.IOPL | Rflags.NT;
    if (size > 2) {
      mask |= Rflags.RF | Rflags.AC | Rflags.ID;
    }
    Rflags.set(cpu, flags, mask);
    cpu.updateMode();
    cpu.jump(offset);
  }

  private void iretProtected(int size) {
    boolean from64 = (cpu.mode & Mode.CODE_64) != 0;
    stack.current();
    stack.peek(size, 2 * size); // processors read the flags first: their fault is the one seen
    long offset = stack.pop(size);
    int selector = (int) stack.peek(2, 0); // no more than that of the selector's dword
    stack.skip(size);
    long flags = stack.pop(size);
    if (!longMode() && size == 4 && (flags & Rflags.VM) != 0 && cpu.cpl == 0) {
      iretToV86(offset, selector, flags);
      return;
    }
    int old = cpu.cpl;
    long code = returnCode(selector);
    long target = target(code, offset);
    long iopl = (cpu.systemFlags & Rflags.IOPL) >>> Rflags.IOPL_SHIFT;
    if ((selector & 3) != old || from64) {
      popOuter(size, selector, code, target, 0);
    } else {
      enterWithStack(selector, code, old, target);
    }
    Rflags.set(cpu, flags, flagMask(size, old, (int) iopl));
  }

  private static long flagMask(int size, int level, int iopl) {
    long mask = Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT;
    if (size > 2) {
      mask |= Rflags.RF | Rflags.AC | Rflags.ID;
    }
    if (level <= iopl) {
      mask |= Rflags.IF;
    }
    if (level == 0) {
      mask |= Rflags.IOPL;
      if (size > 2) {
        mask |= Rflags.VIF | Rflags.VIP;
      }
    }
    return mask;
  }

  private void iretToV86(long offset, int selector, long flags) {
    long pointer = stack.pop(4);
    int ss = (int) stack.pop(4) & 0xFFFF;
    int es = (int) stack.pop(4) & 0xFFFF;
    int ds = (int) stack.pop(4) & 0xFFFF;
    int fs = (int) stack.pop(4) & 0xFFFF;
    int gs = (int) stack.pop(4) & 0xFFFF;
    if (offset > MASK_16) {
      throw cpu.fault(Fault.GP, 0);
    }
    Rflags.set(cpu, flags, Rflags.ALL);
    cpu.cpl = 3;
    cpu.updateMode();
    cpu.segmentation.setReal(Cpu.ES, es);
    cpu.segmentation.setReal(Cpu.CS, selector);
    cpu.segmentation.setReal(Cpu.SS, ss);
    cpu.segmentation.setReal(Cpu.DS, ds);
    cpu.segmentation.setReal(Cpu.FS, fs);
    cpu.segmentation.setReal(Cpu.GS, gs);
    cpu.gpr[Cpu.RSP] = pointer & MASK_32;
    cpu.updateMode();
    cpu.jump(offset);
  }
}
