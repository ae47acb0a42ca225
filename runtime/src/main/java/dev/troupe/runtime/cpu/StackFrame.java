package dev.troupe.runtime.cpu;

/**
 * A stack that is being pushed to or popped from before it is known whether the transfer succeeds:
 * nothing in the vCPU changes until {@link #commit}, and what was written lies below its stack
 * pointer. One object a vCPU.
 */
final class StackFrame {
  private static final long MASK_16 = 0xFFFF;
  private static final long MASK_32 = 0xFFFF_FFFFL;

  private final Cpu cpu;
  private long pointer;
  private long mask;
  private long base;
  private long limit;
  private int attributes;
  private boolean flat;

  /** Expand down: valid offsets are above the limit. */
  private boolean down;

  private boolean supervisor;

  /** Selector that a #SS of a stack not yet loaded names; 0 for the current stack. */
  private int error;

  StackFrame(Cpu cpu) {
    this.cpu = cpu;
  }

  /** The stack in use. */
  StackFrame current() {
    pointer = cpu.gpr[Cpu.RSP];
    base = cpu.segmentBase[Cpu.SS];
    limit = cpu.segmentLimit[Cpu.SS];
    attributes = cpu.segmentAttributes[Cpu.SS];
    flat = (cpu.mode & Mode.CODE_64) != 0;
    mask = flat ? -1 : (attributes & Descriptor.BIG) != 0 ? MASK_32 : MASK_16;
    supervisor = cpu.cpl != 3;
    down = (attributes & Descriptor.DOWN_CONFORMING) != 0 && cpu.segmentation.isProtected();
    error = 0;
    return this;
  }

  /** A stack that a checked descriptor describes, for a privilege level. */
  StackFrame other(int selector, long descriptor, long newPointer, int level) {
    pointer = newPointer;
    base = Descriptor.base(descriptor);
    limit = Descriptor.limit(descriptor);
    attributes = Descriptor.attributes(descriptor);
    flat = false;
    down = (attributes & Descriptor.DOWN_CONFORMING) != 0;
    mask = (attributes & Descriptor.BIG) != 0 ? MASK_32 : MASK_16;
    supervisor = level != 3;
    error = selector & Segmentation.ERROR_SELECTOR;
    return this;
  }

  /** A stack of 64-bit mode. */
  StackFrame flat(long newPointer, int level) {
    pointer = newPointer;
    base = 0;
    flat = true;
    mask = -1;
    supervisor = level != 3;
    error = 0;
    return this;
  }

  /** The stack pointer, with the bits that this stack's width leaves alone. */
  long pointer() {
    return pointer;
  }

  private long linear(long offset, int size) {
    if (flat) {
      return cpu.segmentation.checkStack(offset);
    }
    long last = offset + size - 1;
    boolean inside =
        down
            ? offset > limit && last <= ((attributes & Descriptor.BIG) != 0 ? MASK_32 : MASK_16)
            : last <= limit || limit == MASK_32;
    if (!inside) {
      throw cpu.fault(Fault.SS, error | cpu.segmentation.external);
    }
    return (base + offset) & MASK_32;
  }

  /** Pushes 2, 4 or 8 bytes. */
  void push(int size, long value) {
    long offset = (pointer - size) & mask;
    long linear = linear(offset, size);
    if (supervisor) {
      switch (size) {
        case 2 -> cpu.mmu.storeSystem16(linear, value);
        case 4 -> cpu.mmu.storeSystem32(linear, value);
        default -> cpu.mmu.storeSystem64(linear, value);
      }
    } else {
      switch (size) {
        case 2 -> cpu.mmu.store16(linear, value);
        case 4 -> cpu.mmu.store32(linear, value);
        default -> cpu.mmu.store64(linear, value);
      }
    }
    move(offset);
  }

  /** Pops 2, 4 or 8 bytes, with the current privilege's rights. */
  long pop(int size) {
    long offset = pointer & mask;
    long linear = linear(offset, size);
    long value =
        switch (size) {
          case 2 -> cpu.mmu.load16(linear);
          case 4 -> cpu.mmu.load32(linear);
          default -> cpu.mmu.load64(linear);
        };
    move((offset + size) & mask);
    return value;
  }

  /** Skips bytes, as a return with parameters does. */
  void skip(int bytes) {
    move((pointer + bytes) & mask);
  }

  /** Skips bytes of a stack that is 64-bit code's from now on. */
  void skipFlat(int bytes) {
    pointer += bytes;
  }

  /** Reads a parameter without popping it. */
  long peek(int size, int distance) {
    long before = pointer;
    skip(distance);
    long value = pop(size);
    pointer = before;
    return value;
  }

  private void move(long offset) {
    pointer = (pointer & ~mask) | offset;
  }

  /** Makes the stack pointer the vCPU's; SS is loaded by the caller. */
  void commit() {
    cpu.gpr[Cpu.RSP] = pointer;
  }
}
