package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** The stack as PUSH, POP and near calls use it: SS:rSP, the pointer as wide as the mode says. */
public final class Stack {
  /** ENTER's nesting level is taken modulo this. */
  private static final int LEVELS = 32;

  private Stack() {}

  /** A stack pointer value cut to the stack's address size. */
  public static long cut(Cpu c, long pointer) {
    return (c.mode & Mode.CODE_64) != 0
        ? pointer
        : pointer & ((c.mode & Mode.STACK_32) != 0 ? 0xFFFF_FFFFL : 0xFFFF);
  }

  /** Sets rSP; with a 16-bit stack only SP. */
  public static void setPointer(Cpu c, long pointer) {
    if ((c.mode & (Mode.CODE_64 | Mode.STACK_32)) != 0) {
      c.gpr[Cpu.RSP] = cut(c, pointer);
    } else {
      Operands.setRegister16(c, Cpu.RSP, pointer);
    }
  }

  /** Linear address of {@code bytes} bytes at a stack pointer value. */
  public static long linear(Cpu c, long pointer, int bytes, boolean write) {
    if ((c.mode & Mode.CODE_64) != 0) {
      return pointer;
    }
    return Operands.linear(c, Cpu.SS, cut(c, pointer), bytes, write);
  }

  @Meaning("PUSH")
  public static void push(Cpu c, long value, int size) {
    long pointer = c.gpr[Cpu.RSP] - (size >> 3);
    if ((c.mode & Mode.CODE_64) != 0) {
      Operands.store(c, pointer, size, value);
      c.gpr[Cpu.RSP] = pointer;
    } else {
      Operands.store(c, linear(c, pointer, size >> 3, true), size, value);
      setPointer(c, pointer);
    }
  }

  @Meaning("POP")
  public static long pop(Cpu c, int size) {
    long pointer = c.gpr[Cpu.RSP];
    if ((c.mode & Mode.CODE_64) != 0) {
      long value = Operands.load(c, pointer, size);
      c.gpr[Cpu.RSP] = pointer + (size >> 3);
      return value;
    }
    long value = Operands.load(c, linear(c, pointer, size >> 3, false), size);
    setPointer(c, pointer + (size >> 3));
    return value;
  }

  /**
   * The address is formed with the incremented stack pointer (SDM: POP); a fault leaves it
   * unchanged.
   */
  @Meaning(value = "POP_MEMORY", flow = Flow.NEXT)
  public static void popMemory(Cpu c, Insn i, int size) {
    long before = c.gpr[Cpu.RSP];
    long value = pop(c, size);
    long after = c.gpr[Cpu.RSP];
    // The store may fault: only a pointer that is back where it was may be seen then.
    long address;
    try {
      address = Operands.address(c, i, size >> 3, true);
    } finally {
      c.gpr[Cpu.RSP] = before;
    }
    Operands.store(c, address, size, value);
    c.gpr[Cpu.RSP] = after;
  }

  @Meaning(value = "PUSHA", flow = Flow.NEXT)
  public static void pusha(Cpu c, Insn i, int size) {
    long pointer = c.gpr[Cpu.RSP];
    int bytes = size >> 3;
    // One after another, as processors do: after a fault on the way some are below the pointer.
    for (int r = 0; r < 8; r++) {
      long at = linear(c, pointer - (long) (r + 1) * bytes, bytes, true);
      Operands.store(c, at, size, Operands.register(c, r, size));
    }
    setPointer(c, pointer - 8L * bytes);
  }

  @Meaning(value = "POPA", flow = Flow.NEXT)
  public static void popa(Cpu c, Insn i, int size) {
    long pointer = c.gpr[Cpu.RSP];
    int bytes = size >> 3;
    // One after another, as processors do: a fault on the way leaves the ones before it loaded,
    // and the instruction starts again from the same stack pointer.
    for (int k = 0; k < 8; k++) {
      long value = Operands.load(c, linear(c, pointer + (long) k * bytes, bytes, false), size);
      if (7 - k != Cpu.RSP) {
        Operands.setRegister(c, 7 - k, size, value);
      }
    }
    setPointer(c, pointer + 8L * bytes);
  }

  @Meaning(value = "ENTER", flow = Flow.NEXT)
  public static void enter(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    int level = i.immediate2 % LEVELS;
    long space = i.immediate & 0xFFFF;
    long before = c.gpr[Cpu.RSP];
    boolean done = false;
    try {
      push(c, Operands.register(c, Cpu.RBP, size), size);
      final long frame = c.gpr[Cpu.RSP];
      for (int k = 1; k < level; k++) {
        long at = linear(c, c.gpr[Cpu.RBP] - (long) k * bytes, bytes, false);
        push(c, Operands.load(c, at, size), size);
      }
      if (level > 0) {
        push(c, frame, size);
      }
      long pointer = c.gpr[Cpu.RSP] - space;
      // The new top of the stack must be writable (SDM: ENTER); processors check its alignment too.
      Operands.loadRmw(c, linear(c, pointer, bytes, true), size);
      setPointer(c, pointer);
      Operands.setRegister(c, Cpu.RBP, size, frame);
      done = true;
    } finally {
      if (!done) {
        c.gpr[Cpu.RSP] = before;
      }
    }
  }

  @Meaning(value = "LEAVE", flow = Flow.NEXT)
  public static void leave(Cpu c, Insn i, int size) {
    long frame = c.gpr[Cpu.RBP];
    long value = Operands.load(c, linear(c, frame, size >> 3, false), size);
    setPointer(c, frame + (size >> 3));
    Operands.setRegister(c, Cpu.RBP, size, value);
  }
}
