package dev.troupe.runtime.device.pic;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * The PC's pair of 8259A interrupt controllers, the slave on the master's IR2, with the edge/level
 * registers of the PIIX. Input pins 0 to 15 are the ISA IRQs (2 is the cascade and not connected);
 * output 0 is INTR.
 */
public final class Pic implements Device {
  public static final int MASTER_PORT = 0x20;
  public static final int SLAVE_PORT = 0xA0;
  public static final int ELCR_PORT = 0x4D0;

  /** Output line 0: the processors' INTR. */
  public static final int OUTPUT_INTR = 0;

  // Timer, keyboard, cascade, real-time clock and coprocessor are always edge-triggered (PIIX
  // datasheet, ELCR1 and ELCR2).
  private static final int MASTER_ELCR_MASK = 0xF8;
  private static final int SLAVE_ELCR_MASK = 0xDE;

  private final Chip master;
  private final Chip slave;
  private boolean intr;

  /**
   * Makes the pair.
   *
   * @param levelTriggered bit n: IRQ n is level-triggered from power-on, as firmware would have set
   *     it
   */
  public Pic(int levelTriggered) {
    master = new Chip(true, MASTER_ELCR_MASK, levelTriggered & 0xFF);
    slave = new Chip(false, SLAVE_ELCR_MASK, levelTriggered >> 8);
  }

  @Override
  public String name() {
    return "pic";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    long result = 0;
    switch (message) {
      case BoardMessage.LineLevel(int pin, boolean high) -> pin(pin, high);
      case BoardMessage.IoRead read -> result = read((int) read.address());
      case BoardMessage.IoWrite write -> write((int) write.address(), (int) write.value() & 0xFF);
      case BoardMessage.InterruptAcknowledge _ -> result = acknowledge();
      case BoardMessage.Reset _ -> {
        master.reset();
        slave.reset();
      }
      default -> {
        return 0;
      }
    }
    settle(effects);
    return result;
  }

  private void pin(int pin, boolean high) {
    if (pin >= 8 && pin < 16) {
      slave.pin(pin - 8, high);
    } else if (pin >= 0 && pin < 8 && pin != Chip.CASCADE) {
      master.pin(pin, high);
    }
  }

  private int read(int port) {
    return switch (port) {
      case MASTER_PORT -> master.readEven();
      case MASTER_PORT + 1 -> master.readOdd();
      case SLAVE_PORT -> slave.readEven();
      case SLAVE_PORT + 1 -> slave.readOdd();
      case ELCR_PORT -> master.elcr();
      case ELCR_PORT + 1 -> slave.elcr();
      default -> 0xFF;
    };
  }

  private void write(int port, int value) {
    switch (port) {
      case MASTER_PORT -> master.writeEven(value);
      case MASTER_PORT + 1 -> master.writeOdd(value);
      case SLAVE_PORT -> slave.writeEven(value);
      case SLAVE_PORT + 1 -> slave.writeOdd(value);
      case ELCR_PORT -> master.writeElcr(value);
      case ELCR_PORT + 1 -> slave.writeElcr(value);
      default -> {}
    }
  }

  /** Two INTA pulses; without a request they get the master's, or the slave's, spurious vector. */
  private int acknowledge() {
    int pin = master.request();
    if (pin < 0) {
      return master.vector(Chip.SPURIOUS);
    }
    master.acknowledge(pin);
    if (pin != Chip.CASCADE) {
      return master.vector(pin);
    }
    int slavePin = slave.request();
    // INT falls in the cycle; if the slave has more to ask, its next rise is a new edge at the
    // master.
    master.pin(Chip.CASCADE, false);
    if (slavePin < 0) {
      return slave.vector(Chip.SPURIOUS);
    }
    slave.acknowledge(slavePin);
    return slave.vector(slavePin);
  }

  private void settle(Effects effects) {
    master.pin(Chip.CASCADE, slave.request() >= 0);
    boolean level = master.request() >= 0;
    if (level != intr) {
      intr = level;
      effects.line(OUTPUT_INTR, level);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.part("master", master);
    v.part("slave", slave);
    intr = v.bool("intr", intr);
  }
}
