package dev.troupe.runtime.device.acpipm;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.Frequency;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * ACPI power management (ACPI specification 6.5, chapter 4.8): PM1a event and control registers,
 * the PM timer and the power button. The machine is in ACPI mode from the start (SMI_CMD 0, SCI_EN
 * set). Output line 0 is the SCI.
 */
public final class AcpiPm implements Device {
  /** The block's first port; registers at the offsets below. */
  public static final int BASE_PORT = 0x600;

  public static final int EVENT_OFFSET = 0;
  public static final int CONTROL_OFFSET = 4;
  public static final int TIMER_OFFSET = 8;

  /** Ports of the block. */
  public static final int PORTS = 12;

  /** SLP_TYP of S5, soft-off, for the DSDT. */
  public static final int SLEEP_TYPE_S5 = 5;

  /** Output line 0: the system control interrupt. */
  public static final int OUTPUT_SCI = 0;

  /** The PM timer's clock. */
  public static final Frequency CLOCK = new Frequency(3_579_545);

  private static final int TIMER = 0;

  // PM1 status and enable registers.
  private static final int TIMER_CARRY = 1 << 0;
  private static final int GLOBAL_LOCK = 1 << 5;
  private static final int POWER_BUTTON = 1 << 8;
  private static final int SLEEP_BUTTON = 1 << 9;
  private static final int RTC_ALARM = 1 << 10;
  private static final int WAKE = 1 << 15;
  private static final int EVENTS =
      TIMER_CARRY | GLOBAL_LOCK | POWER_BUTTON | SLEEP_BUTTON | RTC_ALARM;
  private static final int BUS_MASTER = 1 << 4;
  private static final int STATUS_CLEARABLE = EVENTS | BUS_MASTER | WAKE;

  // PM1 control register.
  private static final int SCI_ENABLE = 1 << 0;
  private static final int BUS_MASTER_RELOAD = 1 << 1;
  private static final int SLEEP_TYPE_SHIFT = 10;
  private static final int SLEEP_TYPE = 7 << SLEEP_TYPE_SHIFT;
  private static final int SLEEP_ENABLE = 1 << 13;

  /** Bits of the PM timer. */
  private final int timerBits;

  private int status;
  private int enable;
  private int control = SCI_ENABLE;
  private boolean sci;
  private long settled;
  private long timer = Long.MAX_VALUE;

  /**
   * Makes the device.
   *
   * @param timerBits 24 or 32; the FADT's TMR_VAL_EXT tells
   */
  public AcpiPm(int timerBits) {
    if (timerBits != 24 && timerBits != 32) {
      throw new IllegalArgumentException("the PM timer has 24 or 32 bits: bits=" + timerBits);
    }
    this.timerBits = timerBits;
  }

  @Override
  public String name() {
    return "acpipm";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    settle(now);
    long result = 0;
    switch (message) {
      case BoardMessage.IoRead read ->
          result = read((int) read.address() - BASE_PORT, read.size(), now);
      case BoardMessage.IoWrite write ->
          write((int) write.address() - BASE_PORT, write.size(), (int) write.value(), effects);
      case BoardMessage.PowerButton _ -> status |= POWER_BUTTON;
      case BoardMessage.TimerFired _ -> timer = Long.MAX_VALUE;
      case BoardMessage.Reset _ -> {
        status = 0;
        enable = 0;
        control = SCI_ENABLE;
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

  /** The timer's highest bit has changed so many times. */
  private long carries(long now) {
    return CLOCK.ticks(now) >> (timerBits - 1);
  }

  private void settle(long now) {
    if (now > settled) {
      if (carries(now) != carries(settled)) {
        status |= TIMER_CARRY;
      }
      settled = now;
    }
  }

  private long read(int offset, int size, long now) {
    long low = Integer.toUnsignedLong(status | enable << 16);
    long block =
        switch (offset & ~3) {
          case EVENT_OFFSET -> low;
          case CONTROL_OFFSET -> control;
          case TIMER_OFFSET -> CLOCK.ticks(now) & (1L << timerBits) - 1;
          default -> 0;
        };
    return block >>> (8 * (offset & 3)) & (1L << (8 * size)) - 1;
  }

  /** Registers are two bytes wide; a wider or narrower write is taken byte by byte. */
  private void write(int offset, int size, int value, Effects effects) {
    int shift = 8 * (offset & 3);
    int mask = (int) ((1L << (8 * size)) - 1) << shift;
    int bits = value << shift & mask;
    switch (offset & ~3) {
      case EVENT_OFFSET -> {
        status &= ~(bits & STATUS_CLEARABLE);
        enable = ((enable & ~(mask >>> 16)) | bits >>> 16) & EVENTS;
      }
      case CONTROL_OFFSET -> writeControl(((control & ~mask) | bits) & 0xFFFF, effects);
      default -> {} // the timer is read-only
    }
  }

  private void writeControl(int value, Effects effects) {
    control = (value & (BUS_MASTER_RELOAD | SLEEP_TYPE)) | SCI_ENABLE;
    boolean off = (value & SLEEP_TYPE) >> SLEEP_TYPE_SHIFT == SLEEP_TYPE_S5;
    if ((value & SLEEP_ENABLE) != 0 && off) {
      effects.power(new PowerEvent.PowerOff());
    }
  }

  private void drive(Effects effects) {
    boolean level = (status & enable & EVENTS) != 0;
    if (level != sci) {
      sci = level;
      effects.line(OUTPUT_SCI, level);
    }
  }

  private void arm(long now, Effects effects) {
    boolean waits = (enable & ~status & TIMER_CARRY) != 0;
    long deadline = waits ? CLOCK.nanos((carries(now) + 1) << (timerBits - 1)) : Long.MAX_VALUE;
    if (deadline != timer) {
      timer = deadline;
      effects.timer(TIMER, deadline);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    status = v.int16("status", status);
    enable = v.bits("enable", enable, EVENTS);
    control = v.int16("control", control);
    sci = v.bool("sci", sci);
    settled = v.within("settled", settled, 0, Long.MAX_VALUE);
    timer = v.within("timer", timer, 0, Long.MAX_VALUE);
  }
}
