package dev.troupe.runtime.cpu;

/**
 * Hardware tasks of protected mode, 16- and 32-bit (Intel SDM vol. 3A, chapter 7), and the inner
 * stacks that the TSS holds. IA-32e mode has no task switches (7.7).
 */
public final class TaskSwitch {
  private enum Reason {
    JUMP,
    /** CALL, or an event through a task gate: the old task is linked and stays busy. */
    NEST,
    /** IRET with NT set. */
    RETURN
  }

  private static final int LIMIT_16 = 0x2B;
  private static final int LIMIT_32 = 0x67;

  // Offsets, figures 7-2 and 7-10: {16-bit, 32-bit}; general registers and segments follow in
  // order.
  private static final int[] CR3 = {-1, 28};
  private static final int[] IP = {14, 32};
  private static final int[] FLAGS = {16, 36};
  private static final int[] REGISTERS = {18, 40};
  private static final int[] SEGMENTS = {34, 72};
  private static final int[] LDT = {42, 96};
  private static final int TRAP = 100;

  // Offsets in the 64-bit TSS, figure 7-11.
  private static final int LONG_RSP0 = 4;
  private static final int LONG_IST1 = 0x24;

  // Segment registers in a TSS: ES CS SS DS, and FS GS.
  private static final int SEGMENTS_16 = 4;
  private static final int SEGMENTS_32 = 6;

  /** DR6.BT: the debug exception comes from a task switch. */
  private static final long DR6_BT = 1 << 15;

  private final Cpu cpu;
  private final StackFrame stack;

  TaskSwitch(Cpu cpu, StackFrame stack) {
    this.cpu = cpu;
    this.stack = stack;
  }

  // Inner stacks ---------------------------------------------------------------------------------

  private boolean wide() {
    return (cpu.segmentAttributes[Cpu.TR] & 8) != 0;
  }

  /** ESPn or SPn of the current TSS. */
  long stackPointer(int level) {
    return wide() ? inner(4 + 8 * level, 4) : inner(2 + 4 * level, 2);
  }

  /** SSn of the current TSS. */
  int stackSelector(int level) {
    return (int) (wide() ? inner(8 + 8 * level, 2) : inner(4 + 4 * level, 2));
  }

  /** RSPn of the 64-bit TSS (7.7). */
  long longStackPointer(int level) {
    return inner64(LONG_RSP0 + 8 * level);
  }

  /** ISTn of the 64-bit TSS, {@code index} 1 to 7. */
  long interruptStack(int index) {
    return inner64(LONG_IST1 + 8 * (index - 1));
  }

  private long inner64(int offset) {
    if (offset + 7 > cpu.segmentLimit[Cpu.TR]) {
      throw cpu.segmentation.fault(Fault.TS, cpu.selector[Cpu.TR]);
    }
    long pointer = cpu.mmu.loadSystem64(cpu.segmentBase[Cpu.TR] + offset);
    if (!Segmentation.canonical(pointer)) {
      throw cpu.fault(Fault.SS, cpu.segmentation.external);
    }
    return pointer;
  }

  private long inner(int offset, int size) {
    if (offset + size - 1 > cpu.segmentLimit[Cpu.TR]) {
      throw cpu.segmentation.fault(Fault.TS, cpu.selector[Cpu.TR]);
    }
    return load(cpu.segmentBase[Cpu.TR], offset, size);
  }

  private long load(long base, int offset, int size) {
    long linear = (base + offset) & 0xFFFF_FFFFL;
    return size == 4 ? cpu.mmu.loadSystem32(linear) : cpu.mmu.loadSystem16(linear);
  }

  private void store(long base, int offset, int size, long value) {
    long linear = (base + offset) & 0xFFFF_FFFFL;
    if (size == 4) {
      cpu.mmu.storeSystem32(linear, value);
    } else {
      cpu.mmu.storeSystem16(linear, value);
    }
  }

  // Switches -------------------------------------------------------------------------------------

  /** JMP to a TSS or task gate whose privilege has been checked. */
  void jump(int selector, long nextRip) {
    long flags = Rflags.get(cpu);
    enter(selector, Reason.JUMP, nextRip, flags, Fault.GP);
  }

  /** CALL of a TSS or task gate whose privilege has been checked. */
  void call(int selector, long nextRip) {
    long flags = Rflags.get(cpu);
    enter(selector, Reason.NEST, nextRip, flags, Fault.GP);
  }

  /** An event through a task gate. */
  void enterForEvent(int selector, long savedRip, long flags) {
    enter(selector, Reason.NEST, savedRip, flags, Fault.GP);
  }

  /** The error code of an event, onto the new task's stack. */
  void pushError(int error) {
    stack.current();
    stack.push(wide() ? 4 : 2, error);
    stack.commit();
  }

  /** IRET with NT set: back to the task that the current TSS links to. */
  void back(long nextRip) {
    int link = (int) cpu.mmu.loadSystem16(cpu.segmentBase[Cpu.TR]);
    long flags = Rflags.get(cpu) & ~Rflags.NT;
    enter(link, Reason.RETURN, nextRip, flags, Fault.TS);
  }

  private void enter(int selector, Reason reason, long savedRip, long flags, int vector) {
    Segmentation segmentation = cpu.segmentation;
    if (Segmentation.isNull(selector) || (selector & 4) != 0) {
      throw segmentation.fault(vector, selector);
    }
    long d = segmentation.descriptor(selector, vector);
    int type = Descriptor.type(d);
    int wanted = reason == Reason.RETURN ? Descriptor.BUSY : 0;
    if ((type & ~8) != (Descriptor.TSS_16 | wanted)) {
      throw segmentation.fault(vector, selector);
    }
    if (!Descriptor.present(d)) {
      throw segmentation.fault(Fault.NP, selector);
    }
    int width = type >>> 3; // 0: 16-bit, 1: 32-bit
    if (Descriptor.limit(d) < (width == 0 ? LIMIT_16 : LIMIT_32)) {
      throw segmentation.fault(Fault.TS, selector);
    }
    long base = Descriptor.base(d);
    // All of the new TSS is read, and the old one is known to be writable, before anything changes.
    long[] image = read(base, width);
    save(savedRip, flags);
    if (reason == Reason.NEST) {
      store(base, 0, 2, cpu.selector[Cpu.TR]);
    } else {
      setBusy(cpu.selector[Cpu.TR], false);
    }
    if (reason != Reason.RETURN) {
      setBusy(selector, true);
    }
    segmentation.set(Cpu.TR, selector, d | (long) Descriptor.BUSY << 40);
    try {
      restore(image, width, reason == Reason.NEST);
    } catch (Fault fault) {
      cpu.exceptions.deliver(fault);
    }
    cpu.jump(cpu.rip);
  }

  private void setBusy(int selector, boolean busy) {
    long address = cpu.segmentation.descriptorAddress(selector, 8) + 4;
    long high = cpu.mmu.loadSystem32(address);
    long bit = (long) Descriptor.BUSY << 8;
    cpu.mmu.storeSystem32(address, busy ? high | bit : high & ~bit);
  }

  // Saves the state into the current TSS (7.3, step 8), probing its ends first.
  private void save(long savedRip, long flags) {
    long base = cpu.segmentBase[Cpu.TR];
    int width = wide() ? 1 : 0;
    int size = width == 0 ? 2 : 4;
    int segments = width == 0 ? SEGMENTS_16 : SEGMENTS_32;
    if (cpu.segmentLimit[Cpu.TR] < (width == 0 ? LIMIT_16 : LIMIT_32)) {
      throw cpu.segmentation.fault(Fault.TS, cpu.selector[Cpu.TR]);
    }
    int last = SEGMENTS[width] + size * (segments - 1);
    cpu.mmu.probeWriteAs(true, (base + last) & 0xFFFF_FFFFL, 2);
    store(base, IP[width], size, savedRip);
    store(base, FLAGS[width], size, flags);
    for (int i = 0; i < 8; i++) {
      store(base, REGISTERS[width] + size * i, size, cpu.gpr[i]);
    }
    for (int i = 0; i < segments; i++) {
      store(base, SEGMENTS[width] + size * i, 2, cpu.selector[i]);
    }
  }

  // The new TSS as {cr3, ip, flags, 8 registers, 6 selectors, ldt, trap}.
  private long[] read(long base, int width) {
    int size = width == 0 ? 2 : 4;
    long[] image = new long[19];
    image[0] = width == 0 ? cpu.cr3 : load(base, CR3[width], 4);
    image[1] = load(base, IP[width], size);
    image[2] = load(base, FLAGS[width], size);
    for (int i = 0; i < 8; i++) {
      long value = load(base, REGISTERS[width] + size * i, size);
      // A 16-bit TSS has no upper halves; they stay, as in QEMU.
      image[3 + i] = width == 0 ? value | (cpu.gpr[i] & 0xFFFF_0000L) : value;
    }
    int segments = width == 0 ? SEGMENTS_16 : SEGMENTS_32;
    for (int i = 0; i < segments; i++) {
      image[11 + i] = load(base, SEGMENTS[width] + size * i, 2);
    }
    image[17] = load(base, LDT[width], 2);
    image[18] = width == 0 ? 0 : load(base, TRAP, 2) & 1;
    return image;
  }

  // Faults belong to the new task (7.3, step 13): its first instruction is what they interrupt.
  private void restore(long[] image, int width, boolean nested) {
    Segmentation segmentation = cpu.segmentation;
    cpu.rip = image[1];
    System.arraycopy(image, 3, cpu.gpr, 0, 8);
    long flagMask = width == 0 ? Rflags.ALL & 0xFFFF : Rflags.ALL;
    boolean v86 = width == 1 && (image[2] & Rflags.VM) != 0;
    for (int i = Cpu.ES; i <= Cpu.GS; i++) {
      segmentation.setNull(i, (int) image[11 + i]);
    }
    segmentation.setNull(Cpu.LDTR, (int) image[17]);
    cpu.cr0 |= ControlRegisters.TS;
    boolean pdptes = true;
    if (width == 1 && (cpu.cr0 & ControlRegisters.PG) != 0) {
      if (cpu.mmu.paePaging()) {
        pdptes = cpu.mmu.loadPdptes(image[0]);
      }
      cpu.cr3 = image[0];
      cpu.mmu.flushNonGlobal();
    }
    cpu.cpl = v86 ? 3 : (int) image[11 + Cpu.CS] & 3;
    Rflags.set(cpu, nested ? image[2] | Rflags.NT : image[2], flagMask);
    cpu.updateMode();
    cpu.interruptsOpened();
    if (!pdptes) {
      throw cpu.fault(Fault.GP, segmentation.external);
    }
    segmentation.loadLocalTable((int) image[17], Fault.TS);
    if (v86) {
      for (int i = Cpu.ES; i <= Cpu.GS; i++) {
        segmentation.setReal(i, (int) image[11 + i]);
      }
    } else {
      loadSegments(image);
    }
    cpu.updateMode();
    if (cpu.rip > cpu.segmentLimit[Cpu.CS]) {
      throw cpu.fault(Fault.GP, segmentation.external);
    }
    if (image[18] != 0) {
      cpu.dr[6] |= DR6_BT;
      cpu.exceptions.trap(Fault.DB);
    }
  }

  private void loadSegments(long[] image) {
    Segmentation segmentation = cpu.segmentation;
    int selector = (int) image[11 + Cpu.CS];
    if (Segmentation.isNull(selector)) {
      throw segmentation.fault(Fault.TS, selector);
    }
    long code = segmentation.descriptor(selector, Fault.TS);
    int dpl = Descriptor.dpl(code);
    boolean conforming = Descriptor.isConforming(code);
    if (!Descriptor.isCode(code) || (conforming ? dpl > cpu.cpl : dpl != cpu.cpl)) {
      throw segmentation.fault(Fault.TS, selector);
    }
    if (!Descriptor.present(code)) {
      throw segmentation.fault(Fault.NP, selector);
    }
    segmentation.setCode(selector, code, cpu.cpl);
    cpu.updateMode();
    segmentation.loadStack((int) image[11 + Cpu.SS], cpu.cpl, Fault.TS);
    segmentation.loadData(Cpu.ES, (int) image[11 + Cpu.ES], Fault.TS);
    segmentation.loadData(Cpu.DS, (int) image[11 + Cpu.DS], Fault.TS);
    segmentation.loadData(Cpu.FS, (int) image[11 + Cpu.FS], Fault.TS);
    segmentation.loadData(Cpu.GS, (int) image[11 + Cpu.GS], Fault.TS);
  }
}
