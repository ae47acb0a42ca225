package dev.troupe.runtime.device.pit;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.Frequency;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.Arrays;

/**
 * The PC's 8254 interval timer, CLK at 1,193,182 Hz, with system control port B (0x61) around its
 * counter 2. Counter 0's OUT is output line 0 (IRQ 0). Counters follow virtual time without drift;
 * edges that the machine was too late for are made up by one at most.
 */
public final class Pit implements Device {
  public static final int FIRST_PORT = 0x40;
  public static final int LAST_PORT = 0x43;
  public static final int CONTROL_B_PORT = 0x61;

  /** Output line 0: counter 0's OUT. */
  public static final int OUTPUT_IRQ = 0;

  /** The frequency of CLK, shared by all counters. */
  public static final Frequency CLOCK = new Frequency(1_193_182);

  private static final int TIMER = 0;
  private static final int CONTROL_PORT = 0x43;
  private static final int READ_BACK = 3;
  private static final int READ_BACK_NO_COUNT = 1 << 5;
  private static final int READ_BACK_NO_STATUS = 1 << 4;

  private static final int GATE_2 = 1 << 0;
  private static final int CONTROL_B_WRITABLE = 0x0F;
  private static final int REFRESH_TOGGLE = 1 << 4;
  private static final int OUT_2 = 1 << 5;

  /**
   * Counter 1 of a PC requests a memory refresh every 18 pulses (15 µs); each request flips the
   * toggle bit.
   */
  private static final long REFRESH_PULSES = 18;

  private final Counter[] counters = new Counter[3];
  private int controlB;
  private boolean irq;

  /** The pulse up to which counter 0's edges have been reported. */
  private long settled;

  private long timer = Long.MAX_VALUE;

  /** Power-on: no counter is loaded. */
  public Pit() {
    clear();
  }

  private void clear() {
    Arrays.setAll(counters, i -> new Counter(i != 2)); // gates 0 and 1 are tied high
    controlB = 0;
  }

  @Override
  public String name() {
    return "pit";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    long tick = CLOCK.ticks(now);
    settle(tick, effects);
    switch (message) {
      case BoardMessage.IoRead read -> {
        return read((int) read.address(), tick); // changes no output
      }
      case BoardMessage.IoWrite write ->
          write((int) write.address(), (int) write.value() & 0xFF, tick);
      case BoardMessage.TimerFired _ -> timer = Long.MAX_VALUE;
      case BoardMessage.Reset _ -> {
        clear();
        timer = 0; // whatever the machine has set is replaced
      }
      default -> {
        return 0;
      }
    }
    drive(counters[0].out(tick), effects);
    arm(tick, effects);
    return 0;
  }

  private void settle(long tick, Effects effects) {
    if (tick <= settled) {
      return;
    }
    boolean rose = counters[0].rises(settled, tick);
    settled = tick;
    if (rose) {
      drive(false, effects);
      drive(true, effects);
    }
    drive(counters[0].out(tick), effects);
  }

  private void drive(boolean level, Effects effects) {
    if (level != irq) {
      irq = level;
      effects.line(OUTPUT_IRQ, level);
    }
  }

  private void arm(long tick, Effects effects) {
    long next = counters[0].nextChange(tick);
    long deadline = next == Counter.NEVER ? Long.MAX_VALUE : CLOCK.nanos(next);
    if (deadline != timer) {
      timer = deadline;
      effects.timer(TIMER, deadline);
    }
  }

  private long read(int port, long tick) {
    if (port == CONTROL_B_PORT) {
      int refresh = (tick / REFRESH_PULSES & 1) != 0 ? REFRESH_TOGGLE : 0;
      return controlB | refresh | (counters[2].out(tick) ? OUT_2 : 0);
    }
    // Reading the control port is a no-operation: nothing drives the bus.
    return port == CONTROL_PORT ? 0xFF : counters[port - FIRST_PORT].read(tick);
  }

  private void write(int port, int value, long tick) {
    if (port == CONTROL_B_PORT) {
      controlB = value & CONTROL_B_WRITABLE;
      counters[2].gate((value & GATE_2) != 0, tick);
    } else if (port != CONTROL_PORT) {
      counters[port - FIRST_PORT].write(value, tick);
    } else if (value >> 6 == READ_BACK) {
      readBack(value, tick);
    } else if ((value & 0x30) == 0) {
      counters[value >> 6].latchCount(tick);
    } else {
      counters[value >> 6].control(value, tick);
    }
  }

  private void readBack(int value, long tick) {
    for (int i = 0; i < counters.length; i++) {
      if ((value & 2 << i) != 0) {
        if ((value & READ_BACK_NO_COUNT) == 0) {
          counters[i].latchCount(tick);
        }
        if ((value & READ_BACK_NO_STATUS) == 0) {
          counters[i].latchStatus(tick);
        }
      }
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    for (int i = 0; i < counters.length; i++) {
      v.part("counter" + i, counters[i]);
    }
    controlB = v.bits("controlB", controlB, CONTROL_B_WRITABLE);
    irq = v.bool("irq", irq);
    settled = v.within("settled", settled, 0, Long.MAX_VALUE);
    timer = v.within("timer", timer, 0, Long.MAX_VALUE);
  }
}
