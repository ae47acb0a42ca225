package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * The local APIC's timer (Intel SDM vol. 3A, 11.5.4): counts down at 1 GHz divided by 1 to 128,
 * once or periodically, or waits for the TSC to reach a deadline. Time is virtual nanoseconds.
 */
final class ApicTimer implements Stateful {
  /** Counts before division, a second: one a nanosecond. */
  static final int HERTZ = 1_000_000_000;

  /** Stopped: no deadline. */
  static final long NEVER = Long.MAX_VALUE;

  static final int ONE_SHOT = 0;
  static final int PERIODIC = 1;
  static final int TSC_DEADLINE = 2;

  /** Bits 17 and 18 of the LVT entry can say it, but there is no such mode: it counts once. */
  private static final int RESERVED_MODE = 3;

  private static final long MOST_COUNT = 0xFFFF_FFFFL;

  private final Cpu cpu;
  private int mode;
  private int divideRegister;
  private int divisor = 2;

  /** Unsigned 32 bits; 0 is stopped. */
  private long initialCount;

  /** When the counter held {@link #countAtStart}. */
  private long start;

  private long countAtStart;

  /** The TSC value to wait for, unsigned; 0 is disarmed. */
  private long tscDeadline;

  /** When the counter reaches zero, or {@link #NEVER}. */
  private long deadline = NEVER;

  ApicTimer(Cpu cpu) {
    this.cpu = cpu;
  }

  void reset() {
    mode = ONE_SHOT;
    divideRegister = 0;
    divisor = 2;
    stop();
  }

  private void stop() {
    initialCount = 0;
    countAtStart = 0;
    tscDeadline = 0;
    deadline = NEVER;
  }

  long deadline() {
    return deadline;
  }

  /** Sets the mode of the LVT entry. A change to or from the TSC deadline stops the timer. */
  void setMode(int newMode) {
    if (newMode != mode) {
      if (newMode == TSC_DEADLINE || mode == TSC_DEADLINE) {
        stop();
      }
      mode = newMode;
    }
  }

  int divideRegister() {
    return divideRegister;
  }

  /** Writes the divide configuration: bits 0, 1 and 3. The count goes on from where it is. */
  void setDivideRegister(int value) {
    long now = cpu.time.nanos();
    long count = currentCount(now);
    divideRegister = value & 0xB;
    updateDivisor();
    if (deadline != NEVER && mode != TSC_DEADLINE) {
      run(now, count);
    }
  }

  private void updateDivisor() {
    int code = (divideRegister & 3) | (divideRegister & 8) >> 1;
    divisor = code == 7 ? 1 : 2 << code;
  }

  int initialCount() {
    return (int) initialCount;
  }

  /** Starts a countdown; 0 stops. Ignored while the TSC deadline mode is on. */
  void setInitialCount(int value) {
    if (mode == TSC_DEADLINE) {
      return;
    }
    initialCount = Integer.toUnsignedLong(value);
    if (initialCount == 0) {
      deadline = NEVER;
      countAtStart = 0;
    } else {
      run(cpu.time.nanos(), initialCount);
    }
  }

  private void run(long now, long count) {
    start = now;
    countAtStart = count;
    deadline = now + count * divisor;
  }

  /** The counter, unsigned 32 bits. */
  int currentCount() {
    return (int) currentCount(cpu.time.nanos());
  }

  private long currentCount(long now) {
    if (mode == TSC_DEADLINE || deadline == NEVER) {
      return 0;
    }
    long elapsed = (now - start) / divisor;
    if (elapsed < countAtStart) {
      return countAtStart - elapsed;
    }
    return mode == PERIODIC ? initialCount - (elapsed - countAtStart) % initialCount : 0;
  }

  /** IA32_TSC_DEADLINE: the armed deadline, else 0. */
  long tscDeadline() {
    return tscDeadline;
  }

  /** Arms the TSC deadline, or disarms it with 0. Ignored in the other modes. */
  void setTscDeadline(long value) {
    if (mode == TSC_DEADLINE) {
      tscDeadline = value;
      tscChanged();
    }
  }

  /** The TSC has jumped: the armed deadline comes at another time. */
  void tscChanged() {
    if (mode != TSC_DEADLINE) {
      return;
    }
    if (tscDeadline == 0) {
      deadline = NEVER;
      return;
    }
    long now = cpu.time.nanos();
    long tsc = cpu.tsc();
    if (Long.compareUnsigned(tscDeadline, tsc) <= 0) {
      deadline = now;
    } else {
      long distance = tscDeadline - tsc;
      deadline = distance < 0 || now + distance < now ? NEVER : now + distance;
    }
  }

  /**
   * True if the deadline is reached; the timer stops or, if periodic, goes on to its next future
   * one.
   */
  boolean expire(long now) {
    if (now < deadline) {
      return false;
    }
    if (mode == PERIODIC && initialCount != 0) {
      long period = initialCount * divisor;
      start = deadline + (now - deadline) / period * period;
      countAtStart = initialCount;
      deadline = start + period;
    } else {
      deadline = NEVER;
      tscDeadline = 0;
      countAtStart = 0;
    }
    return true;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    mode = v.within("mode", mode, ONE_SHOT, RESERVED_MODE);
    divideRegister = v.bits("divideRegister", divideRegister, 0xB);
    initialCount = v.within("initialCount", initialCount, 0, MOST_COUNT);
    start = v.within("start", start, 0, NEVER);
    countAtStart = v.within("countAtStart", countAtStart, 0, MOST_COUNT);
    tscDeadline = v.int64("tscDeadline", tscDeadline);
    deadline = v.within("deadline", deadline, 0, NEVER);
    v.require(
        mode == TSC_DEADLINE || deadline == NEVER || initialCount > 0,
        "initialCount",
        initialCount,
        "1 or more while it counts");
    if (v.restoring()) {
      updateDivisor();
    }
  }
}
