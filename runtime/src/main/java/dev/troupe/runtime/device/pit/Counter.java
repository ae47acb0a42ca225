package dev.troupe.runtime.device.pit;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * One counter of an 8254 (Intel datasheet 231164), as a function of the CLK pulses counted since
 * its last load, so that any time can be asked for without stepping there. Times are in CLK pulses
 * since virtual time 0.
 */
final class Counter implements Stateful {
  /** No such pulse. */
  static final long NEVER = Long.MAX_VALUE;

  /** More pulses than virtual time, 2^63 nanoseconds, has. */
  private static final long MOST_PULSES = 1L << 54;

  private static final int LARGEST_COUNT = 0x10000;
  private static final int RW_LOW = 1;
  private static final int RW_HIGH = 2;
  private static final int RW_BOTH = 3;
  private static final int STATUS_OUT = 1 << 7;
  private static final int STATUS_NULL_COUNT = 1 << 6;

  /** Bits 5 to 0 of the control word: RW, mode, BCD. */
  private int control = RW_BOTH << 4;

  /** Pulses of one countdown, 1 to 65,536 (10,000 in BCD). */
  private int count;

  /** True from the first load of the counting element after a control word. */
  private boolean loaded;

  /** The pulse at which the element held {@link #count}; phases of later pulses follow from it. */
  private long start;

  /** Pulses counted when counting was stopped by the gate, or -1 while it runs. */
  private long held = -1;

  /** What the element reads as while nothing is loaded. */
  private int idleElement;

  /** The count register's content, waiting to be loaded; 0 if none waits. */
  private int pending;

  /** The pulse that loads {@link #pending}; {@link #NEVER} if that takes a trigger. */
  private long pendingAt = NEVER;

  private boolean gate;

  /** The low byte of a two-byte write. */
  private int lowByte;

  private boolean highNext;
  private boolean readHighNext;

  /** Latched count, or -1. */
  private int latchedCount = -1;

  private int latchedStatus = -1;

  Counter(boolean gate) {
    this.gate = gate;
  }

  int mode() {
    int mode = (control >> 1) & 7;
    return mode > 5 ? mode & 3 : mode;
  }

  private boolean bcd() {
    return (control & 1) != 0;
  }

  private int access() {
    return (control >> 4) & 3;
  }

  private int modulus() {
    return bcd() ? 10_000 : 0x10000;
  }

  /** A control word other than latch and read-back. */
  void control(int word, long tick) {
    settle(tick);
    idleElement = element(tick);
    control = word & 0x3F;
    count = 0;
    loaded = false;
    held = -1;
    pending = 0;
    pendingAt = NEVER;
    highNext = false;
    readHighNext = false;
    latchedCount = -1;
    latchedStatus = -1;
  }

  void write(int value, long tick) {
    settle(tick);
    switch (access()) {
      case RW_LOW -> load(value, tick);
      case RW_HIGH -> load(value << 8, tick);
      default -> {
        if (highNext) {
          load(value << 8 | lowByte, tick);
        } else {
          lowByte = value;
          if (mode() == 0) { // the first byte stops counting, and OUT goes low at once
            idle(tick);
          }
        }
        highNext = !highNext;
      }
    }
  }

  private void idle(long tick) {
    idleElement = element(tick);
    loaded = false;
    pending = 0;
    pendingAt = NEVER;
  }

  private void load(int register, long tick) {
    int value = bcd() ? fromBcd(register) : register;
    pending = value == 0 ? modulus() : value;
    switch (mode()) {
      case 0 -> {
        int next = pending;
        idle(tick);
        pending = next;
        pendingAt = tick + 1;
      }
      case 1, 5 -> {} // waits for a trigger, or, if one came in this very pulse, goes with it
      case 2 -> pendingAt = !loaded || !gate ? tick + 1 : tick + count - (elapsed(tick) % count);
      case 3 -> pendingAt = !loaded || !gate ? tick + 1 : nextHalf(tick);
      default -> pendingAt = tick + 1;
    }
  }

  /** Levels of the gate; a rising edge is the trigger of modes 1, 2, 3 and 5. */
  void gate(boolean level, long tick) {
    settle(tick);
    if (level == gate) {
      return;
    }
    switch (mode()) {
      case 0, 4 -> {
        if (loaded) {
          if (level) {
            start = tick - held;
            held = -1;
          } else {
            held = elapsed(tick);
          }
        }
      }
      case 2, 3 -> {
        if (level) {
          retrigger(tick);
        } else if (loaded) {
          held = elapsed(tick);
        }
      }
      default -> {
        if (level) {
          retrigger(tick);
        }
      }
    }
    gate = level;
  }

  private void retrigger(long tick) {
    if (pending == 0 && count != 0) {
      pending = count;
    }
    if (pending != 0) {
      pendingAt = tick + 1;
    }
  }

  boolean gate() {
    return gate;
  }

  /** Performs the load that has come due by {@code tick}. */
  void settle(long tick) {
    if (pendingAt > tick) {
      return;
    }
    // In mode 3 a count written in the high half is loaded for the low half that follows.
    boolean lowHalf = mode() == 3 && loaded && held < 0 && !outAt(pendingAt);
    count = pending;
    start = lowHalf ? pendingAt - highLength() : pendingAt;
    loaded = true;
    boolean stops = !gate && mode() != 1 && mode() != 5;
    held = stops ? 0 : -1;
    pending = 0;
    pendingAt = NEVER;
  }

  private long elapsed(long tick) {
    return held >= 0 ? held : tick - start;
  }

  private int highLength() {
    return (count + 1) / 2;
  }

  /** The first pulse after {@code tick} at which mode 3 changes its half. */
  private long nextHalf(long tick) {
    int phase = (int) (elapsed(tick) % count);
    return tick + (phase < highLength() ? highLength() - phase : count - phase);
  }

  /** OUT at {@code tick}, which must not be before the last settled one. */
  boolean out(long tick) {
    settle(tick);
    return outAt(tick);
  }

  private boolean outAt(long tick) {
    if (!loaded) {
      return mode() != 0;
    }
    long elapsed = elapsed(tick);
    return switch (mode()) {
      case 0, 1 -> elapsed >= count;
      case 2 -> held >= 0 || count == 1 || elapsed % count != count - 1;
      case 3 -> held >= 0 || elapsed % count < highLength();
      default -> elapsed != count;
    };
  }

  /**
   * The next pulse after {@code tick} at which OUT may change; for pulses of a single CLK (modes 2,
   * 4, 5) only the rise that ends them. {@link #NEVER} if nothing will happen by itself.
   */
  long nextChange(long tick) {
    settle(tick);
    if (pendingAt == NEVER) {
      return changeOfRunning(tick);
    }
    if (loaded || !gate) {
      return Math.min(changeOfRunning(tick), pendingAt);
    }
    return switch (mode()) {
      case 0 -> pendingAt + pending;
      case 4 -> pendingAt + pending + 1;
      default -> pendingAt;
    };
  }

  private long changeOfRunning(long tick) {
    if (!loaded || held >= 0) {
      return NEVER;
    }
    long elapsed = tick - start;
    return switch (mode()) {
      case 0, 1 -> elapsed < count ? start + count : NEVER;
      case 2 -> count == 1 ? NEVER : tick + count - elapsed % count;
      case 3 -> count == 1 ? NEVER : nextHalf(tick);
      default -> elapsed <= count ? start + count + 1 : NEVER;
    };
  }

  /**
   * True if OUT rose by counting at some pulse after {@code from}, up to and including {@code to}.
   */
  boolean rises(long from, long to) {
    if (pendingAt > to) {
      return rose(from, to);
    }
    long load = pendingAt;
    boolean before = rose(from, load);
    settle(load);
    return before || rose(load, to);
  }

  private boolean rose(long from, long to) {
    if (!loaded || held >= 0 || to <= from) {
      return false;
    }
    return switch (mode()) {
      case 0, 1 -> from - start < count && to - start >= count;
      case 2, 3 ->
          count > 1 && Math.floorDiv(to - start, count) > Math.floorDiv(from - start, count);
      default -> from - start <= count && to - start > count;
    };
  }

  /** The counting element as a binary number, 0 to 65,535. */
  private int element(long tick) {
    if (!loaded) {
      return idleElement;
    }
    long elapsed = elapsed(tick);
    int value =
        switch (mode()) {
          case 2 -> count - (int) (elapsed % count);
          case 3 -> {
            int phase = (int) (elapsed % count);
            int inHalf = phase < highLength() ? phase : phase - highLength();
            yield (count & ~1) - 2 * inHalf;
          }
          default -> Math.floorMod(count - elapsed, modulus());
        };
    return value % modulus();
  }

  private int register(long tick) {
    int value = element(tick);
    return bcd() ? toBcd(value) : value;
  }

  void latchCount(long tick) {
    settle(tick);
    if (latchedCount < 0) {
      latchedCount = register(tick);
    }
  }

  void latchStatus(long tick) {
    settle(tick);
    if (latchedStatus < 0) {
      boolean nullCount = pending != 0 || !loaded;
      latchedStatus =
          (outAt(tick) ? STATUS_OUT : 0) | (nullCount ? STATUS_NULL_COUNT : 0) | control;
    }
  }

  int read(long tick) {
    settle(tick);
    if (latchedStatus >= 0) {
      int status = latchedStatus;
      latchedStatus = -1;
      return status;
    }
    int value = latchedCount >= 0 ? latchedCount : register(tick);
    boolean high = access() == RW_HIGH || (access() == RW_BOTH && readHighNext);
    boolean last = access() != RW_BOTH || readHighNext;
    if (access() == RW_BOTH) {
      readHighNext = !readHighNext;
    }
    if (last) {
      latchedCount = -1;
    }
    return (high ? value >> 8 : value) & 0xFF;
  }

  private static int fromBcd(int value) {
    return (value & 0xF)
        + 10 * (value >> 4 & 0xF)
        + 100 * (value >> 8 & 0xF)
        + 1000 * (value >> 12 & 0xF);
  }

  private static int toBcd(int value) {
    return value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 % 10 << 12;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    control = v.bits("control", control, 0x3F);
    count = v.within("count", count, 0, LARGEST_COUNT);
    loaded = v.bool("loaded", loaded);
    v.require(!loaded || count > 0, "count", count, "1 or more once loaded");
    // Mode 3 may count a load made at power-on from half a period before.
    start = v.within("start", start, -LARGEST_COUNT, MOST_PULSES);
    held = v.within("held", held, -1, MOST_PULSES);
    idleElement = v.int16("idleElement", idleElement);
    pending = v.within("pending", pending, 0, LARGEST_COUNT);
    pendingAt = v.int64("pendingAt", pendingAt);
    v.require(
        pendingAt == NEVER || (pending > 0 && pendingAt >= 0 && pendingAt <= MOST_PULSES),
        "pendingAt",
        pendingAt,
        "a pulse at which a pending count is loaded, or never");
    gate = v.bool("gate", gate);
    lowByte = v.int8("lowByte", lowByte);
    highNext = v.bool("highNext", highNext);
    readHighNext = v.bool("readHighNext", readHighNext);
    latchedCount = v.within("latchedCount", latchedCount, -1, 0xFFFF);
    latchedStatus = v.within("latchedStatus", latchedStatus, -1, 0xFF);
  }
}
