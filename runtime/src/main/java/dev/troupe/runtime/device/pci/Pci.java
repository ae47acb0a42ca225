package dev.troupe.runtime.device.pci;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * PCI configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2) for bus 0, with a host
 * bridge as function 0, and the reset control register at 0xCF9 (PIIX3 datasheet, 2.5.5), which
 * shares the address register's ports.
 */
public final class Pci implements Device {
  public static final int FIRST_PORT = 0xCF8;
  public static final int LAST_PORT = 0xCFF;

  /** Reset control: the ACPI reset register, too, with the value below. */
  public static final int RESET_PORT = 0xCF9;

  /** What is written to {@link #RESET_PORT} for a hard reset. */
  public static final int HARD_RESET = 0x06;

  private static final int ADDRESS_PORT = 0xCF8;
  private static final int DATA_PORT = 0xCFC;
  private static final int ENABLE = 1 << 31;
  private static final int ADDRESS_WRITABLE = 0x80FF_FFFC;
  private static final int RESET_TYPE = 1 << 1;
  private static final int RESET_CPU = 1 << 2;

  /** By device &lt;&lt; 3 | function. */
  private final SortedMap<Integer, ConfigSpace> functions = new TreeMap<>();

  private int address;
  private int resetControl;

  /**
   * Bus 0 with nothing but the host bridge, which presents itself as an Intel 440FX as on QEMU's
   * PC.
   */
  public Pci() {
    attach(0, new ConfigSpace(0x8086, 0x1237, 2, 0x060000));
  }

  /**
   * Adds a function; before the machine starts.
   *
   * @param number device &lt;&lt; 3 | function, 0 to 255
   * @throws IllegalArgumentException if the place is taken
   */
  public void attach(int number, ConfigSpace function) {
    if (number < 0 || number > 255 || functions.putIfAbsent(number, function) != null) {
      throw new IllegalArgumentException("PCI function number taken or out of range: " + number);
    }
  }

  @Override
  public String name() {
    return "pci";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    switch (message) {
      case BoardMessage.IoRead read -> {
        return read((int) read.address(), read.size());
      }
      case BoardMessage.IoWrite write ->
          write((int) write.address(), write.size(), write.value(), effects);
      case BoardMessage.Reset _ -> {
        functions.values().forEach(ConfigSpace::reset);
        address = 0;
        resetControl = 0;
      }
      default -> {}
    }
    return 0;
  }

  private long read(int port, int size) {
    if (port >= DATA_PORT) {
      ConfigSpace function = selected();
      return function == null
          ? AddressMap.allOnes(size)
          : function.read(register(port), fitting(port, size));
    }
    if (port == ADDRESS_PORT && size == 4) {
      return Integer.toUnsignedLong(address);
    }
    // The address register answers 32-bit accesses only; others go by it to the ISA bus.
    return port == RESET_PORT && size == 1 ? resetControl : AddressMap.allOnes(size);
  }

  private void write(int port, int size, long value, Effects effects) {
    if (port >= DATA_PORT) {
      ConfigSpace function = selected();
      if (function != null) {
        function.write(register(port), fitting(port, size), value);
      }
    } else if (port == ADDRESS_PORT && size == 4) {
      address = (int) value & ADDRESS_WRITABLE;
    } else if (port == RESET_PORT && size == 1) {
      boolean rises = (value & ~resetControl & RESET_CPU) != 0;
      resetControl = (int) value & (RESET_TYPE | RESET_CPU);
      if (rises) {
        effects.power(new PowerEvent.Reset());
      }
    }
  }

  /** The function addressed, or null: a disabled access, another bus, or nobody there. */
  private ConfigSpace selected() {
    boolean busZero = (address >> 16 & 0xFF) == 0;
    return (address & ENABLE) != 0 && busZero ? functions.get(address >> 8 & 0xFF) : null;
  }

  private int register(int port) {
    return (address & 0xFC) + (port & 3);
  }

  /** An access that would cross the data register's end covers what is in it. */
  private static int fitting(int port, int size) {
    return Math.min(size, LAST_PORT + 1 - port);
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    functions.forEach((number, function) -> v.part("function" + number, function));
    address = v.bits("address", address, ADDRESS_WRITABLE);
    resetControl = v.bits("resetControl", resetControl, RESET_TYPE | RESET_CPU);
  }
}
