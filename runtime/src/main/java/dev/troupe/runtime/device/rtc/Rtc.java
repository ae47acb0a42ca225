package dev.troupe.runtime.device.rtc;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.Frequency;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * MC146818A real-time clock with 128 bytes of NVRAM, on a 32.768 kHz crystal (datasheet
 * MC146818A/D). It keeps UTC: a wall-clock base given at the start plus virtual time. Output line 0
 * is IRQ 8.
 */
public final class Rtc implements Device {
  public static final int INDEX_PORT = 0x70;
  public static final int DATA_PORT = 0x71;

  /** Output line 0: the interrupt request. */
  public static final int OUTPUT_IRQ = 0;

  private static final int TIMER = 0;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final Frequency CRYSTAL = new Frequency(32_768);

  /** More seconds before or after 1970 than any date of the registers is, 25,755 years. */
  private static final long MOST_SECONDS = 1L << 41;

  /** UIP is set this long before an update (datasheet, table 5: 244 µs). */
  private static final long UPDATE_WARNING_NANOS = 244_000;

  static final int SECONDS = 0;
  static final int SECONDS_ALARM = 1;
  static final int MINUTES = 2;
  static final int MINUTES_ALARM = 3;
  static final int HOURS = 4;
  static final int HOURS_ALARM = 5;
  static final int DAY_OF_WEEK = 6;
  static final int DAY = 7;
  static final int MONTH = 8;
  static final int YEAR = 9;
  static final int REGISTER_A = 0x0A;
  static final int REGISTER_B = 0x0B;
  static final int REGISTER_C = 0x0C;
  static final int REGISTER_D = 0x0D;
  static final int CENTURY = 0x32;

  static final int A_UPDATE_IN_PROGRESS = 1 << 7;
  static final int A_DIVIDER = 7 << 4;
  static final int A_DIVIDER_32K = 2 << 4;
  static final int A_RATE = 0x0F;
  static final int B_SET = 1 << 7;
  static final int B_SQUARE_WAVE = 1 << 3;
  static final int B_BINARY = 1 << 2;
  static final int B_24_HOURS = 1 << 1;
  static final int C_REQUEST = 1 << 7;

  /** Periodic interrupt: enable bit in register B, flag in C. */
  static final int PERIODIC = 1 << 6;

  /** Alarm interrupt: enable bit in register B, flag in C. */
  static final int ALARM = 1 << 5;

  /** Update-ended interrupt: enable bit in register B, flag in C. */
  static final int UPDATE = 1 << 4;

  private static final int INTERRUPTS = PERIODIC | ALARM | UPDATE;
  private static final int D_VALID = 1 << 7;
  private static final int PM = 1 << 7;

  /** An alarm byte with both top bits set matches any value. */
  private static final int ALARM_ANY = 0xC0;

  /** A decoded alarm byte: any value, or one that no time has. */
  private static final int ANY = -1;

  private static final int INVALID = -2;

  /** NVRAM, alarms, registers A to C; the time registers only while an update is inhibited. */
  private final byte[] cells;

  private int index;

  /** Seconds since 1970 at {@link #origin}. */
  private long base;

  /**
   * The virtual time, in nanoseconds, of an update; others follow every second while the divider
   * runs.
   */
  private long origin;

  /** What the guest has set the day of the week off by, 0 to 6. */
  private int weekday;

  /** The time up to which flags have been set. */
  private long settled;

  private boolean irq;
  private long timer = Long.MAX_VALUE;

  /**
   * Makes the clock.
   *
   * @param wallClockNanos nanoseconds since 1970-01-01 UTC at virtual time 0
   * @param memoryBytes guest memory, for the NVRAM's size fields
   * @param cpus vCPUs, 1 to 256
   */
  public Rtc(long wallClockNanos, long memoryBytes, int cpus) {
    cells = Nvram.initial(memoryBytes, cpus);
    base = Math.floorDiv(wallClockNanos, NANOS_PER_SECOND);
    origin = -Math.floorMod(wallClockNanos, NANOS_PER_SECOND);
    cells[REGISTER_A] = A_DIVIDER_32K | 6; // 1024 Hz, as firmware leaves it
    cells[REGISTER_B] = B_24_HOURS;
  }

  @Override
  public String name() {
    return "rtc";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    settle(now);
    long result = 0;
    switch (message) {
      case BoardMessage.IoRead read -> result = read.address() == DATA_PORT ? read(now) : 0xFF;
      case BoardMessage.IoWrite write -> {
        if (write.address() == DATA_PORT) {
          write((int) write.value() & 0xFF, now);
        } else {
          index = (int) write.value() & 0x7F; // bit 7 masks NMIs, of which this board has none
        }
      }
      case BoardMessage.TimerFired _ -> timer = Long.MAX_VALUE;
      case BoardMessage.Reset _ -> {
        // RESET clears enables and flags; time and NVRAM are the battery's.
        cells[REGISTER_B] &= ~(INTERRUPTS | B_SQUARE_WAVE);
        cells[REGISTER_C] = 0;
        index = 0;
        timer = 0; // whatever the machine has set is replaced
      }
      default -> {
        return 0;
      }
    }
    drive(effects);
    arm(now, effects);
    return result;
  }

  private int cell(int number) {
    return cells[number] & 0xFF;
  }

  /** The divider chain counts: neither held in reset nor set for another crystal. */
  private boolean divides() {
    return (cell(REGISTER_A) & A_DIVIDER) == A_DIVIDER_32K;
  }

  private boolean updates() {
    return divides() && (cell(REGISTER_B) & B_SET) == 0;
  }

  private long seconds(long now) {
    return base + Math.floorDiv(now - origin, NANOS_PER_SECOND);
  }

  /** Crystal pulses between periodic interrupts; 0 if none are selected. */
  private int periodPulses() {
    int rate = cell(REGISTER_A) & A_RATE;
    return switch (rate) {
      case 0 -> 0;
      case 1, 2 -> 1 << (rate + 6); // 256 and 128 Hz again, with this crystal
      default -> 1 << (rate - 1);
    };
  }

  /**
   * Sets the flags of all that happened since the last call; flags are set whether or not their
   * interrupts are enabled.
   */
  private void settle(long now) {
    if (now <= settled) {
      return;
    }
    int flags = 0;
    if (divides()) {
      int period = periodPulses();
      if (period != 0 && periods(now, period) != periods(settled, period)) {
        flags |= PERIODIC;
      }
    }
    if (updates()) {
      long before = seconds(settled);
      long after = seconds(now);
      if (after != before) {
        flags |= UPDATE;
        if (nextAlarm(before) <= after) {
          flags |= ALARM;
        }
      }
    }
    cells[REGISTER_C] |= (byte) flags;
    settled = now;
  }

  private long periods(long time, int period) {
    return Math.floorDiv(CRYSTAL.ticks(time - origin), period);
  }

  /**
   * The first second after {@code second} that the alarm bytes match; {@link Long#MAX_VALUE} if
   * they match none.
   */
  private long nextAlarm(long second) {
    int hour = alarmHour();
    int minute = alarmField(MINUTES_ALARM, 59);
    int secondOfMinute = alarmField(SECONDS_ALARM, 59);
    if (hour == INVALID || minute == INVALID || secondOfMinute == INVALID) {
      return Long.MAX_VALUE;
    }
    long candidate = second + 1;
    // Each step fixes one field and can carry into the next: five suffice.
    candidate = forward(candidate, secondOfMinute, 1, 60);
    if (minute != ANY && Math.floorMod(Math.floorDiv(candidate, 60L), 60L) != minute) {
      candidate = forward(candidate - Math.floorMod(candidate, 60L), minute, 60, 60);
      candidate = forward(candidate, secondOfMinute, 1, 60);
    }
    if (hour != ANY && Math.floorMod(Math.floorDiv(candidate, 3600L), 24L) != hour) {
      candidate = forward(candidate - Math.floorMod(candidate, 3600L), hour, 3600, 24);
      candidate = forward(candidate, minute, 60, 60);
      candidate = forward(candidate, secondOfMinute, 1, 60);
    }
    return candidate;
  }

  /**
   * The first time not before {@code time} whose field (of {@code unit} seconds, modulo {@code
   * modulus}) has the value.
   */
  private static long forward(long time, int value, int unit, int modulus) {
    if (value == ANY) {
      return time;
    }
    long field = Math.floorMod(Math.floorDiv(time, (long) unit), (long) modulus);
    return time + Math.floorMod(value - field, (long) modulus) * unit;
  }

  private int alarmField(int register, int largest) {
    int raw = cell(register);
    if ((raw & ALARM_ANY) == ALARM_ANY) {
      return ANY;
    }
    int value = decode(raw);
    return value <= largest ? value : INVALID;
  }

  private int alarmHour() {
    int raw = cell(HOURS_ALARM);
    if ((raw & ALARM_ANY) == ALARM_ANY) {
      return ANY;
    }
    int hour = decodeHour(raw);
    return hour < 24 ? hour : INVALID;
  }

  private int decode(int raw) {
    return (cell(REGISTER_B) & B_BINARY) != 0 ? raw : (raw >> 4) * 10 + (raw & 0xF);
  }

  private int encode(int value) {
    return (cell(REGISTER_B) & B_BINARY) != 0 ? value : (value / 10) << 4 | value % 10;
  }

  private int decodeHour(int raw) {
    if ((cell(REGISTER_B) & B_24_HOURS) != 0) {
      return decode(raw);
    }
    return decode(raw & ~PM) % 12 + ((raw & PM) != 0 ? 12 : 0);
  }

  private int encodeHour(int hour) {
    if ((cell(REGISTER_B) & B_24_HOURS) != 0) {
      return encode(hour);
    }
    return encode(hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
  }

  private static boolean isTime(int register) {
    return register == SECONDS
        || register == MINUTES
        || register == HOURS
        || (register >= DAY_OF_WEEK && register <= YEAR)
        || register == CENTURY;
  }

  private int read(long now) {
    if (isTime(index)) {
      return updates() ? timeRegister(index, seconds(now)) : cell(index);
    }
    return switch (index) {
      case REGISTER_A -> cell(REGISTER_A) | (updateSoon(now) ? A_UPDATE_IN_PROGRESS : 0);
      case REGISTER_C -> {
        int flags = cell(REGISTER_C);
        cells[REGISTER_C] = 0;
        yield flags | ((flags & cell(REGISTER_B) & INTERRUPTS) != 0 ? C_REQUEST : 0);
      }
      case REGISTER_D -> D_VALID;
      default -> cell(index);
    };
  }

  private boolean updateSoon(long now) {
    return updates()
        && Math.floorMod(now - origin, NANOS_PER_SECOND) >= NANOS_PER_SECOND - UPDATE_WARNING_NANOS;
  }

  private int timeRegister(int register, long second) {
    Calendar.Date date = Calendar.date(second);
    int ofDay = (int) Math.floorMod(second, (long) Calendar.SECONDS_PER_DAY);
    return switch (register) {
      case SECONDS -> encode(ofDay % 60);
      case MINUTES -> encode(ofDay / 60 % 60);
      case HOURS -> encodeHour(ofDay / 3600);
      case DAY_OF_WEEK -> encode((Calendar.dayOfWeek(second) + weekday) % 7 + 1);
      case DAY -> encode(date.day());
      case MONTH -> encode(date.month());
      case YEAR -> encode(date.year() % 100);
      default -> encode(date.year() / 100 % 100);
    };
  }

  private void write(int value, long now) {
    if (isTime(index)) {
      if (updates()) {
        freeze(now);
        cells[index] = (byte) value;
        thaw(now, origin);
      } else {
        cells[index] = (byte) value;
      }
      return;
    }
    switch (index) {
      case REGISTER_A -> change(REGISTER_A, value & ~A_UPDATE_IN_PROGRESS, now);
      case REGISTER_B -> {
        // SET clears the update-ended enable (datasheet, register B).
        change(REGISTER_B, (value & B_SET) != 0 ? value & ~UPDATE : value, now);
      }
      case REGISTER_C, REGISTER_D -> {} // read-only
      default -> cells[index] = (byte) value;
    }
  }

  /**
   * Changes register A or B, which may stop or start updates, the divider, or the form of the time
   * registers.
   */
  private void change(int register, int value, long now) {
    boolean updated = updates();
    boolean divided = divides();
    int old = cell(register);
    cells[register] = (byte) value;
    boolean updating = updates();
    boolean dividing = divides();
    long phase = origin;
    if (!divided && dividing) {
      // From divider reset the first update comes half a second later (datasheet, register A).
      phase = now - NANOS_PER_SECOND / 2;
    }
    if (updated && !updating) {
      cells[register] = (byte) old;
      freeze(now);
      cells[register] = (byte) value;
    } else if (!updated && updating) {
      thaw(now, phase);
    }
    origin = updating ? origin : phase;
  }

  /** Copies the running time into the time registers. */
  private void freeze(long now) {
    long second = seconds(now);
    for (int register = SECONDS; register <= CENTURY; register++) {
      if (isTime(register)) {
        cells[register] = (byte) timeRegister(register, second);
      }
    }
  }

  /** Lets time run from the time registers on, with updates in the given phase. */
  private void thaw(long now, long phase) {
    int year = decode(cell(CENTURY)) * 100 + decode(cell(YEAR));
    long days = Calendar.days(year, decode(cell(MONTH)), decode(cell(DAY)));
    long second =
        days * Calendar.SECONDS_PER_DAY
            + decodeHour(cell(HOURS)) * 3600L
            + decode(cell(MINUTES)) * 60L
            + decode(cell(SECONDS));
    origin = phase;
    base = second - Math.floorDiv(now - origin, NANOS_PER_SECOND);
    weekday = Math.floorMod(decode(cell(DAY_OF_WEEK)) - 1 - Calendar.dayOfWeek(second), 7);
  }

  private void drive(Effects effects) {
    boolean level = (cell(REGISTER_C) & cell(REGISTER_B) & INTERRUPTS) != 0;
    if (level != irq) {
      irq = level;
      effects.line(OUTPUT_IRQ, level);
    }
  }

  /** One timer, for the first enabled interrupt whose flag is still clear. */
  private void arm(long now, Effects effects) {
    int wanted = cell(REGISTER_B) & INTERRUPTS & ~cell(REGISTER_C);
    long deadline = Long.MAX_VALUE;
    if (irq || wanted == 0) {
      deadline = Long.MAX_VALUE; // nothing new can be seen before register C is read
    } else {
      int period = periodPulses();
      if ((wanted & PERIODIC) != 0 && divides() && period != 0) {
        deadline = origin + CRYSTAL.nanos((periods(now, period) + 1) * period);
      }
      if ((wanted & (UPDATE | ALARM)) != 0 && updates()) {
        long second = seconds(now);
        long next = (wanted & UPDATE) != 0 ? second + 1 : nextAlarm(second);
        if (next != Long.MAX_VALUE) {
          deadline = Math.min(deadline, origin + (next - base) * NANOS_PER_SECOND);
        }
      }
    }
    if (deadline != timer) {
      timer = deadline;
      effects.timer(TIMER, deadline);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.bytes("cells", cells);
    v.require(
        (cells[REGISTER_C] & ~INTERRUPTS) == 0, "cells", cell(REGISTER_C), "flags in register C");
    index = v.within("index", index, 0, 0x7F);
    base = v.within("base", base, -MOST_SECONDS, MOST_SECONDS);
    origin = v.within("origin", origin, -NANOS_PER_SECOND, Long.MAX_VALUE / 2);
    weekday = v.within("weekday", weekday, 0, 6);
    settled = v.within("settled", settled, 0, Long.MAX_VALUE);
    irq = v.bool("irq", irq);
    timer = v.within("timer", timer, 0, Long.MAX_VALUE);
  }
}
