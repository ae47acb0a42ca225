package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;

/**
 * String instructions. Each stands alone in its block, so that the budget is exact: an iteration
 * charges one unit, and when the budget is used up, or an event waits, the instruction stops
 * between two iterations with rSI, rDI and rCX as they are then and rip still on it, as processors
 * do for interrupts (SDM vol. 2, REP).
 */
public final class Strings {
  /** One iteration of a repeated instruction. */
  @FunctionalInterface
  interface Step {
    /** Does one iteration or throws with nothing changed; false if the repetition ends with it. */
    boolean once(Cpu c, Insn i, int size);
  }

  private static final long PAGE = GuestMemory.PAGE_SIZE;

  private Strings() {}

  /** Runs {@code step} once, or as often as rCX says and the budget allows. */
  static void iterate(Cpu c, Insn i, Step step, int size) {
    if (i.repeat == 0) {
      step.once(c, i, size);
      return;
    }
    long left = Operands.cut(c.gpr[Cpu.RCX], i.addressSize);
    while (left != 0) {
      boolean more = step.once(c, i, size);
      left--;
      Operands.setRegister(c, Cpu.RCX, i.addressSize, left);
      if (!more || left == 0) {
        return;
      }
      if (interrupted(c)) {
        pause(c, i);
        return;
      }
      c.budget--;
    }
  }

  /**
   * CMPS and SCAS: as {@link #iterate}, but what stops or faults between iterations finds the
   * arithmetic flags as they were before the first (SDM vol. 2, REP; processors do it for traps
   * too).
   */
  private static void compare(Cpu c, Insn i, Step step, int size) {
    long zero = c.flagZero;
    long sign = c.flagSign;
    long carry = c.flagCarry;
    long aux = c.flagAux;
    boolean done = false;
    try {
      iterate(c, i, step, size);
      done = !c.jumped;
    } finally {
      if (!done) {
        c.flagZero = zero;
        c.flagSign = sign;
        c.flagCarry = carry;
        c.flagAux = aux;
      }
    }
  }

  /**
   * Stops between two iterations. Whatever event comes now saves RF set, so that an instruction
   * breakpoint here is not met again on the way back (SDM vol. 3B, 17.3.1.1).
   */
  private static void pause(Cpu c, Insn i) {
    Rflags.set(c, Rflags.RF, Rflags.RF);
    c.jump(i.rip);
  }

  /**
   * Whether the instruction must stop after this iteration, whose own unit is still to be charged.
   */
  private static boolean interrupted(Cpu c) {
    return c.budget <= 1 || c.attention() || (c.mode & Mode.SLOW) != 0 || !c.replay.isEmpty();
  }

  /** Linear address of the source element at rSI. */
  static long source(Cpu c, Insn i, int bytes) {
    return Operands.linear(c, i, Operands.cut(c.gpr[Cpu.RSI], i.addressSize), bytes, false);
  }

  /** Linear address of the destination element at ES:rDI. */
  static long destination(Cpu c, Insn i, int bytes, boolean write) {
    return Operands.linear(c, Cpu.ES, Operands.cut(c.gpr[Cpu.RDI], i.addressSize), bytes, write);
  }

  private static void advance(Cpu c, Insn i, int register, long bytes) {
    long by = (c.systemFlags & Rflags.DF) != 0 ? -bytes : bytes;
    Operands.setRegister(c, register, i.addressSize, c.gpr[register] + by);
  }

  static void advanceSource(Cpu c, Insn i, int bytes) {
    advance(c, i, Cpu.RSI, bytes);
  }

  static void advanceDestination(Cpu c, Insn i, int bytes) {
    advance(c, i, Cpu.RDI, bytes);
  }

  /** Flat addresses that count upwards: whole runs inside a page can be done at once. */
  private static boolean simple(Cpu c, Insn i) {
    return i.repeat != 0
        && (c.systemFlags & Rflags.DF) == 0
        && i.addressing <= Operands.FLAT_BASED
        && i.addressSize != 16
        && ((c.mode & Mode.CODE_64) != 0 || (c.mode & Mode.FLAT_DATA) != 0)
        && (c.mode & (Mode.SLOW | Mode.ALIGNMENT_CHECK)) == 0;
  }

  /** Iterations from {@code linear} to the end of its page, at most {@code limit}. */
  private static long run(long linear, int bytes, long limit) {
    return Math.min(limit, (PAGE - (linear & (PAGE - 1))) / bytes);
  }

  @Meaning(value = "MOVS", flow = Flow.END)
  public static void movs(Cpu c, Insn i, int size) {
    if (simple(c, i)) {
      copyRuns(c, i, size >> 3);
    }
    if (!c.jumped) {
      iterate(c, i, Strings::movsOnce, size);
    }
  }

  private static boolean movsOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    long value = Operands.load(c, source(c, i, bytes), size);
    Operands.store(c, destination(c, i, bytes, true), size, value);
    advanceSource(c, i, bytes);
    advanceDestination(c, i, bytes);
    return true;
  }

  /**
   * Copies as long as whole elements lie in pages that the TLB knows; between pages one element
   * goes the slow way, which fills the TLB. Leaves at least one iteration for {@link #iterate},
   * unless it stopped.
   */
  private static void copyRuns(Cpu c, Insn i, int bytes) {
    long[] g = c.gpr;
    while (true) {
      long left = Operands.cut(g[Cpu.RCX], i.addressSize);
      if (left <= 1 || c.budget <= 1) {
        return;
      }
      long from = source(c, i, bytes);
      long to = destination(c, i, bytes, true);
      long n = run(from, bytes, run(to, bytes, Math.min(left - 1, c.budget - 1)));
      long fromHost = c.mmu.readableHost(from);
      long toHost = c.mmu.writableHost(to);
      if (n > 0 && fromHost != GuestMemory.NO_RAM && toHost != GuestMemory.NO_RAM) {
        copy(fromHost, toHost, n, bytes);
        Operands.setRegister(c, Cpu.RSI, i.addressSize, g[Cpu.RSI] + n * bytes);
        Operands.setRegister(c, Cpu.RDI, i.addressSize, g[Cpu.RDI] + n * bytes);
      } else {
        n = 1;
        movsOnce(c, i, bytes << 3);
      }
      Operands.setRegister(c, Cpu.RCX, i.addressSize, left - n);
      if (c.attention() || !c.replay.isEmpty()) {
        c.budget -= n - 1; // the last of them is charged as the instruction
        pause(c, i);
        return;
      }
      c.budget -= n;
    }
  }

  /** Copies upwards, element by element where source and destination overlap so that it matters. */
  private static void copy(long from, long to, long n, int bytes) {
    long length = n * bytes;
    Raw.acquireFence();
    Raw.releaseFence();
    if (to <= from || to >= from + length) {
      Raw.copy(from, to, length);
    } else {
      for (long k = 0; k < length; k += bytes) {
        switch (bytes) {
          case 1 -> Raw.put8(to + k, Raw.get8(from + k));
          case 2 -> Raw.put16(to + k, Raw.get16(from + k));
          case 4 -> Raw.put32(to + k, Raw.get32(from + k));
          default -> Raw.put64(to + k, Raw.get64(from + k));
        }
      }
    }
    Raw.acquireFence();
  }

  @Meaning(value = "STOS", flow = Flow.END)
  public static void stos(Cpu c, Insn i, int size) {
    if (simple(c, i)) {
      fillRuns(c, i, size >> 3);
    }
    if (!c.jumped) {
      iterate(c, i, Strings::stosOnce, size);
    }
  }

  private static boolean stosOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    Operands.store(c, destination(c, i, bytes, true), size, c.gpr[Cpu.RAX]);
    advanceDestination(c, i, bytes);
    return true;
  }

  private static void fillRuns(Cpu c, Insn i, int bytes) {
    long[] g = c.gpr;
    while (true) {
      long left = Operands.cut(g[Cpu.RCX], i.addressSize);
      if (left <= 1 || c.budget <= 1) {
        return;
      }
      long to = destination(c, i, bytes, true);
      long n = run(to, bytes, Math.min(left - 1, c.budget - 1));
      long toHost = c.mmu.writableHost(to);
      if (n > 0 && toHost != GuestMemory.NO_RAM) {
        fill(toHost, g[Cpu.RAX], n, bytes);
        Operands.setRegister(c, Cpu.RDI, i.addressSize, g[Cpu.RDI] + n * bytes);
      } else {
        n = 1;
        stosOnce(c, i, bytes << 3);
      }
      Operands.setRegister(c, Cpu.RCX, i.addressSize, left - n);
      if (c.attention()) {
        c.budget -= n - 1;
        pause(c, i);
        return;
      }
      c.budget -= n;
    }
  }

  private static void fill(long to, long value, long n, int bytes) {
    Raw.releaseFence();
    long pattern = value & Flags.mask(bytes * 8);
    if (pattern == (value & 0xFF) * (Flags.mask(bytes * 8) / 0xFF)) {
      Raw.fill(to, n * bytes, (byte) value);
      return;
    }
    for (long k = 0; k < n * bytes; k += bytes) {
      switch (bytes) {
        case 2 -> Raw.put16(to + k, (short) value);
        case 4 -> Raw.put32(to + k, (int) value);
        default -> Raw.put64(to + k, value);
      }
    }
  }

  @Meaning(value = "LODS", flow = Flow.END)
  public static void lods(Cpu c, Insn i, int size) {
    iterate(c, i, Strings::lodsOnce, size);
  }

  private static boolean lodsOnce(Cpu c, Insn i, int size) {
    Operands.setRegister(c, Cpu.RAX, size, Operands.load(c, source(c, i, size >> 3), size));
    advanceSource(c, i, size >> 3);
    return true;
  }

  @Meaning(value = "CMPS", flow = Flow.END)
  public static void cmps(Cpu c, Insn i, int size) {
    compare(c, i, Strings::cmpsOnce, size);
  }

  private static boolean cmpsOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    // In the order of processors: where both fault, the destination's fault is seen.
    long b = Operands.load(c, destination(c, i, bytes, false), size);
    long a = Operands.load(c, source(c, i, bytes), size);
    advanceSource(c, i, bytes);
    advanceDestination(c, i, bytes);
    Arithmetic.cmp(c, a, b, size);
    return Flags.zero(c) == (i.repeat == 0xF3);
  }

  @Meaning(value = "SCAS", flow = Flow.END)
  public static void scas(Cpu c, Insn i, int size) {
    compare(c, i, Strings::scasOnce, size);
  }

  private static boolean scasOnce(Cpu c, Insn i, int size) {
    long b = Operands.load(c, destination(c, i, size >> 3, false), size);
    advanceDestination(c, i, size >> 3);
    Arithmetic.cmp(c, Operands.register(c, Cpu.RAX, size), b, size);
    return Flags.zero(c) == (i.repeat == 0xF3);
  }
}
