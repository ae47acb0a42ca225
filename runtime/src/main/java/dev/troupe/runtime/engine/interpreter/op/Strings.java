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

  /** {@link Insn#repeat} of CMPS and SCAS that go on while equal. */
  private static final int REPE = 0xF3;

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
    return c.budget <= 1
        || c.attention()
        || (c.mode & Mode.SLOW) != 0
        || c.stops.isPending()
        || !c.replay.isEmpty();
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

  /**
   * Whether what lies in one page can be done at once: addresses count upwards, and within a page
   * nothing wraps or has to be looked at. With an event waiting it is one iteration, as always.
   */
  private static boolean simple(Cpu c, Insn i) {
    return i.repeat != 0
        && (c.systemFlags & Rflags.DF) == 0
        && i.addressing <= Operands.FLAT
        && i.addressSize != 16
        && (c.mode & (Mode.CODE_64 | Mode.FLAT_DATA)) != 0
        && (c.mode & (Mode.SLOW | Mode.ALIGNMENT_CHECK)) == 0
        && !c.attention()
        && c.replay.isEmpty();
  }

  /** Iterations from {@code linear} to the end of its page, at most {@code limit}. */
  private static long run(long linear, int bytes, long limit) {
    long room = PAGE - (linear & (PAGE - 1));
    return Math.min(limit, room >> Integer.numberOfTrailingZeros(bytes));
  }

  /**
   * Accounts for iterations done at once, as {@link #iterate} does for each: the last one's unit is
   * charged as the instruction.
   *
   * @param left iterations that rCX still asks for after these
   * @param n how many were done, at least 1, at most the budget
   * @param more false if the repetition ends with the last of them
   * @return true if the instruction goes on at once
   */
  private static boolean goesOn(Cpu c, Insn i, long left, long n, boolean more) {
    Operands.setRegister(c, Cpu.RCX, i.addressSize, left);
    boolean again = more && left != 0;
    if (again && c.budget > n && !c.attention() && !c.stops.isPending()) {
      c.budget -= n;
      return true;
    }
    c.budget -= n - 1;
    if (again) {
      pause(c, i);
    }
    return false;
  }

  @Meaning(value = "MOVS", flow = Flow.END)
  public static void movs(Cpu c, Insn i, int size) {
    if (!simple(c, i)) {
      iterate(c, i, Strings::movsOnce, size);
      return;
    }
    long left = Operands.cut(c.gpr[Cpu.RCX], i.addressSize);
    for (boolean more = left != 0; more; ) {
      long n = copyRun(c, i, size >> 3, Math.min(left, c.budget));
      left -= n;
      more = goesOn(c, i, left, n, true);
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
   * Copies as many elements as lie in pages that the TLB knows; where there is none, one element
   * the slow way, which fills the TLB.
   *
   * @return how many, 1 to {@code limit}
   */
  private static long copyRun(Cpu c, Insn i, int bytes, long limit) {
    long from = source(c, i, bytes);
    long to = destination(c, i, bytes, true);
    long n = run(from, bytes, run(to, bytes, limit));
    long fromHost = c.mmu.readableHost(from);
    long toHost = c.mmu.writableHost(to);
    if (n == 0 || fromHost == GuestMemory.NO_RAM || toHost == GuestMemory.NO_RAM) {
      movsOnce(c, i, bytes << 3);
      return 1;
    }
    copy(fromHost, toHost, n, bytes);
    advance(c, i, Cpu.RSI, n * bytes);
    advance(c, i, Cpu.RDI, n * bytes);
    return n;
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
    if (!simple(c, i)) {
      iterate(c, i, Strings::stosOnce, size);
      return;
    }
    long left = Operands.cut(c.gpr[Cpu.RCX], i.addressSize);
    for (boolean more = left != 0; more; ) {
      long n = fillRun(c, i, size >> 3, Math.min(left, c.budget));
      left -= n;
      more = goesOn(c, i, left, n, true);
    }
  }

  private static boolean stosOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    Operands.store(c, destination(c, i, bytes, true), size, c.gpr[Cpu.RAX]);
    advanceDestination(c, i, bytes);
    return true;
  }

  /** {@link #copyRun} for STOS. */
  private static long fillRun(Cpu c, Insn i, int bytes, long limit) {
    long to = destination(c, i, bytes, true);
    long n = run(to, bytes, limit);
    long toHost = c.mmu.writableHost(to);
    if (n == 0 || toHost == GuestMemory.NO_RAM) {
      stosOnce(c, i, bytes << 3);
      return 1;
    }
    fill(toHost, c.gpr[Cpu.RAX], n, bytes);
    advance(c, i, Cpu.RDI, n * bytes);
    return n;
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
    compare(c, i, true, size);
  }

  private static boolean cmpsOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    // In the order of processors: where both fault, the destination's fault is seen.
    long b = Operands.load(c, destination(c, i, bytes, false), size);
    long a = Operands.load(c, source(c, i, bytes), size);
    advanceSource(c, i, bytes);
    advanceDestination(c, i, bytes);
    Arithmetic.cmp(c, a, b, size);
    return more(c, i);
  }

  @Meaning(value = "SCAS", flow = Flow.END)
  public static void scas(Cpu c, Insn i, int size) {
    compare(c, i, false, size);
  }

  private static boolean scasOnce(Cpu c, Insn i, int size) {
    long b = Operands.load(c, destination(c, i, size >> 3, false), size);
    advanceDestination(c, i, size >> 3);
    Arithmetic.cmp(c, Operands.register(c, Cpu.RAX, size), b, size);
    return more(c, i);
  }

  /** Whether the last comparison lets REPE or REPNE go on. */
  private static boolean more(Cpu c, Insn i) {
    return Flags.zero(c) == (i.repeat == REPE);
  }

  /**
   * CMPS and SCAS: what stops or faults between iterations finds the arithmetic flags as they were
   * before the first (SDM vol. 2, REP; processors do it for traps too).
   *
   * @param strings true for CMPS, false for SCAS
   */
  private static void compare(Cpu c, Insn i, boolean strings, int size) {
    long zero = c.flagZero;
    long sign = c.flagSign;
    long carry = c.flagCarry;
    long aux = c.flagAux;
    boolean done = false;
    try {
      if (simple(c, i)) {
        compareRuns(c, i, strings, size >> 3);
      } else {
        iterate(c, i, strings ? Strings::cmpsOnce : Strings::scasOnce, size);
      }
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

  private static void compareRuns(Cpu c, Insn i, boolean strings, int bytes) {
    long left = Operands.cut(c.gpr[Cpu.RCX], i.addressSize);
    for (boolean more = left != 0; more; ) {
      long n = compareRun(c, i, strings, bytes, Math.min(left, c.budget));
      left -= n;
      more = goesOn(c, i, left, n, more(c, i));
    }
  }

  /**
   * {@link #copyRun} for CMPS and SCAS: up to the element that ends the repetition, with the flags
   * of the last comparison.
   */
  private static long compareRun(Cpu c, Insn i, boolean strings, int bytes, long limit) {
    long to = destination(c, i, bytes, false);
    long n = run(to, bytes, limit);
    long toHost = c.mmu.readableHost(to);
    long fromHost = GuestMemory.NO_RAM;
    if (strings) {
      long from = source(c, i, bytes);
      n = run(from, bytes, n);
      fromHost = c.mmu.readableHost(from);
    }
    if (n == 0 || toHost == GuestMemory.NO_RAM || (strings && fromHost == GuestMemory.NO_RAM)) {
      if (strings) {
        cmpsOnce(c, i, bytes << 3);
      } else {
        scasOnce(c, i, bytes << 3);
      }
      return 1;
    }
    n = scan(c, fromHost, toHost, n, bytes, i.repeat == REPE);
    if (strings) {
      advance(c, i, Cpu.RSI, n * bytes);
    }
    advance(c, i, Cpu.RDI, n * bytes);
    return n;
  }

  /**
   * Compares element by element, eight bytes at a time, and sets the flags of the last comparison
   * from the very bytes that decided: another vCPU may be writing them.
   *
   * @param from host address of the first operands, {@link GuestMemory#NO_RAM} for rAX each time
   * @param to host address of the second operands
   * @param n elements, at least 1
   * @param equal whether to go on while equal (REPE) or while not (REPNE)
   * @return how many were compared
   */
  private static long scan(Cpu c, long from, long to, long n, int bytes, boolean equal) {
    int width = bytes * 8;
    long mask = Flags.mask(width);
    long ones =
        switch (bytes) {
          case 1 -> 0x0101_0101_0101_0101L;
          case 2 -> 0x0001_0001_0001_0001L;
          case 4 -> 0x0000_0001_0000_0001L;
          default -> 1;
        };
    long signs = ones << (width - 1);
    boolean memory = from != GuestMemory.NO_RAM;
    long a = (c.gpr[Cpu.RAX] & mask) * ones;
    long b = 0;
    long end = n * bytes;
    long at = 0;
    for (; at <= end - Long.BYTES; at += Long.BYTES) {
      b = Raw.get64(to + at);
      if (memory) {
        a = Raw.get64(from + at);
      }
      Raw.acquireFence();
      long differing = a ^ b;
      // Of the zero elements the lowest is found for certain: borrows go upwards from it.
      long ends = equal ? differing : (differing - ones) & ~differing & signs;
      if (ends != 0) {
        int shift = Long.numberOfTrailingZeros(ends) & -width;
        Arithmetic.cmp(c, a >>> shift & mask, b >>> shift & mask, width);
        return (at * 8 + shift) / width + 1;
      }
    }
    if (at == end) {
      Arithmetic.cmp(c, a >>> (64 - width), b >>> (64 - width), width);
      return n;
    }
    a &= mask;
    do {
      b = element(to + at, bytes);
      if (memory) {
        a = element(from + at, bytes);
      }
      Raw.acquireFence();
      at += bytes;
    } while (at < end && (a == b) == equal);
    Arithmetic.cmp(c, a, b, width);
    return at / bytes;
  }

  private static long element(long host, int bytes) {
    return switch (bytes) {
      case 1 -> Raw.get8(host) & 0xFF;
      case 2 -> Raw.get16(host) & 0xFFFF;
      default -> Raw.get32(host) & 0xFFFF_FFFFL;
    };
  }
}
