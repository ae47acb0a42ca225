package dev.troupe.runtime.device.ioapic;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.Arrays;

/**
 * I/O APIC with 24 pins (Intel 82093AA datasheet, and the EOI register of version 0x20 as in the
 * ICH datasheets). Interrupts leave as messages to the local APICs. Lines report whether they are
 * asserted, so the polarity bit is kept but not looked at.
 */
public final class IoApic implements Device {
  public static final long BASE = 0xFEC0_0000L;

  /** Bytes of memory that it claims; registers at 0x00, 0x10 and 0x40. */
  public static final int SIZE = 0x1000;

  public static final int PINS = 24;

  private static final int SELECT = 0x00;
  private static final int WINDOW = 0x10;
  private static final int EOI = 0x40;

  private static final int REGISTER_ID = 0;
  private static final int REGISTER_VERSION = 1;
  private static final int REGISTER_ARBITRATION = 2;
  private static final int FIRST_ENTRY = 0x10;
  private static final int VERSION = 0x20;
  private static final int ID_MASK = 0x0F00_0000;

  // A redirection entry.
  private static final long VECTOR = 0xFF;
  private static final int DELIVERY_SHIFT = 8;
  private static final long LOGICAL = 1L << 11;
  private static final long DELIVERY_STATUS = 1L << 12;
  private static final long REMOTE_IRR = 1L << 14;
  private static final long LEVEL = 1L << 15;
  private static final long MASKED = 1L << 16;
  private static final int DESTINATION_SHIFT = 56;
  private static final long READ_ONLY = DELIVERY_STATUS | REMOTE_IRR;
  private static final long WRITABLE = 0xFF00_0000_0001_FFFFL & ~READ_ONLY;

  private static final InterruptMessage.Delivery[] DELIVERIES = InterruptMessage.Delivery.values();

  private final long[] entries = new long[PINS];
  private int select;
  private int id;

  /** Bit n: pin n is asserted. */
  private int pins;

  /** Power-on: all pins masked. */
  public IoApic() {
    reset();
  }

  private void reset() {
    Arrays.fill(entries, MASKED);
    select = 0;
    id = 0;
  }

  @Override
  public String name() {
    return "ioapic";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    switch (message) {
      case BoardMessage.LineLevel(int pin, boolean high) -> line(pin, high, effects);
      case BoardMessage.EndOfInterrupt(int vector) -> endOfInterrupt(vector, effects);
      case BoardMessage.IoRead read -> {
        return read((int) (read.address() - BASE), read.size());
      }
      case BoardMessage.IoWrite write ->
          write((int) (write.address() - BASE), write.size(), write.value(), effects);
      case BoardMessage.Reset _ -> reset();
      default -> {}
    }
    return 0;
  }

  private void line(int pin, boolean high, Effects effects) {
    if (pin < 0 || pin >= PINS) {
      return;
    }
    boolean rises = high && (pins & 1 << pin) == 0;
    pins = high ? pins | 1 << pin : pins & ~(1 << pin);
    // An edge at a masked pin is neither delivered nor held pending (82093AA, 3.2.4, bit 16).
    if (rises && (entries[pin] & MASKED) == 0) {
      deliver(pin, effects);
    }
  }

  /** Sends the pin's interrupt unless the last one, level-triggered, has not been ended. */
  private void deliver(int pin, Effects effects) {
    long entry = entries[pin];
    boolean level = (entry & LEVEL) != 0;
    if (level && (entry & REMOTE_IRR) != 0) {
      return;
    }
    InterruptMessage.Delivery delivery = DELIVERIES[(int) (entry >> DELIVERY_SHIFT) & 7];
    // Only fixed and lowest-priority interrupts are acknowledged by an EOI.
    if (level
        && (delivery == InterruptMessage.Delivery.FIXED
            || delivery == InterruptMessage.Delivery.LOWEST_PRIORITY)) {
      entries[pin] |= REMOTE_IRR;
    }
    effects.interrupt(
        new InterruptMessage(
            (int) (entry >>> DESTINATION_SHIFT),
            (entry & LOGICAL) != 0,
            delivery,
            (int) (entry & VECTOR),
            level));
  }

  /** Ends the interrupts of a vector; those whose pin is still asserted come again at once. */
  private void endOfInterrupt(int vector, Effects effects) {
    for (int pin = 0; pin < PINS; pin++) {
      long entry = entries[pin];
      if ((entry & VECTOR) == vector && (entry & REMOTE_IRR) != 0) {
        entries[pin] &= ~REMOTE_IRR;
        deliverLevel(pin, effects);
      }
    }
  }

  private void deliverLevel(int pin, Effects effects) {
    boolean asserted = (pins & 1 << pin) != 0;
    if (asserted && (entries[pin] & (LEVEL | MASKED)) == LEVEL) {
      deliver(pin, effects);
    }
  }

  private long read(int offset, int size) {
    int register = offset & ~3;
    long value =
        switch (register) {
          case SELECT -> select;
          case WINDOW -> Integer.toUnsignedLong(readSelected());
          default -> 0;
        };
    return value >>> (8 * (offset & 3)) & (size >= 4 ? 0xFFFF_FFFFL : (1L << (8 * size)) - 1);
  }

  private int readSelected() {
    return switch (select) {
      case REGISTER_ID, REGISTER_ARBITRATION -> id;
      case REGISTER_VERSION -> VERSION | (PINS - 1) << 16;
      default -> {
        int entry = (select - FIRST_ENTRY) / 2;
        if (select < FIRST_ENTRY || entry >= PINS) {
          yield 0;
        }
        yield (int) ((select & 1) == 0 ? entries[entry] : entries[entry] >>> 32);
      }
    };
  }

  /**
   * Registers are 32 bits wide and aligned; of narrower writes only those to the low byte's
   * registers mean anything.
   */
  private void write(int offset, int size, long value, Effects effects) {
    switch (offset) {
      case SELECT -> select = (int) value & 0xFF;
      case WINDOW -> {
        if (size >= 4) {
          writeSelected((int) value, effects);
        }
      }
      case EOI -> endOfInterrupt((int) value & 0xFF, effects);
      default -> {}
    }
  }

  private void writeSelected(int value, Effects effects) {
    if (select == REGISTER_ID) {
      id = value & ID_MASK;
      return;
    }
    int pin = (select - FIRST_ENTRY) / 2;
    if (select < FIRST_ENTRY || pin >= PINS) {
      return;
    }
    long old = entries[pin];
    long low = 0xFFFF_FFFFL;
    long written =
        (select & 1) == 0
            ? (old & ~low) | Integer.toUnsignedLong(value)
            : (old & low) | (long) value << 32;
    long entry = (written & WRITABLE) | (old & READ_ONLY);
    if ((entry & LEVEL) == 0) {
      // Linux ends a level interrupt by hand by making its pin edge-triggered for a moment.
      entry &= ~REMOTE_IRR;
    }
    entries[pin] = entry;
    deliverLevel(pin, effects);
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.longs("entries", entries);
    for (long entry : entries) {
      v.require((entry & ~(WRITABLE | READ_ONLY)) == 0, "entries", entry, "reserved bits 0");
    }
    select = v.int8("select", select);
    id = v.bits("id", id, ID_MASK);
    pins = v.bits("pins", pins, (1 << PINS) - 1);
  }
}
