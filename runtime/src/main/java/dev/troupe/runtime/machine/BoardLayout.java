package dev.troupe.runtime.machine;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BoardDescription;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.cpu.LocalApic;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.acpipm.AcpiPm;
import dev.troupe.runtime.device.debugexit.DebugExit;
import dev.troupe.runtime.device.ferr.NumericError;
import dev.troupe.runtime.device.i8042.I8042;
import dev.troupe.runtime.device.ioapic.IoApic;
import dev.troupe.runtime.device.pci.Pci;
import dev.troupe.runtime.device.pic.Pic;
import dev.troupe.runtime.device.pit.Pit;
import dev.troupe.runtime.device.port92.Port92;
import dev.troupe.runtime.device.rtc.Rtc;
import dev.troupe.runtime.device.uart.Uart;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One machine's board: its devices in the order of their indexes, the addresses that they claim,
 * and which output leads to which input. The devices are this machine's own; everything else never
 * changes.
 */
public final class BoardLayout {
  // The interrupt controllers come first, because all others are wired to them.
  private static final int PIC = 0;
  private static final int IO_APIC = 1;

  // ISA interrupt requests of the PC.
  private static final int IRQ_TIMER = 0;
  private static final int IRQ_KEYBOARD = 1;
  private static final int IRQ_COM1 = 4;
  private static final int IRQ_RTC = 8;
  private static final int IRQ_SCI = 9;
  private static final int IRQ_AUXILIARY = 12;
  private static final int IRQ_NUMERIC_ERROR = 13;

  /** The I/O APIC's pin of the timer, as on every PC: the MADT has an override for it. */
  private static final int TIMER_PIN = 2;

  private static final int PM_TIMER_BITS = 32;

  /** The I/O APIC's id after reset. */
  private static final int IO_APIC_ID = 0;

  // Memory for base address registers, below the interrupt chips.
  private static final long PCI_MEMORY_FIRST = 0xF000_0000L;
  private static final long PCI_MEMORY_LAST = 0xFEBF_FFFFL;

  /** IRQs that firmware sets to level-triggered: the SCI and those that PCI shares (10 and 11). */
  private static final int LEVEL_TRIGGERED = 1 << IRQ_SCI | 1 << 10 | 1 << 11;

  private final List<Device> devices;
  private final AddressMap addresses;
  private final long wallClockNanos;

  /** By device, output, then in the order in which a change is to be sent. */
  private final Target[][][] targets;

  private BoardLayout(Builder builder) {
    devices = List.copyOf(builder.devices);
    addresses = new AddressMap(builder.ranges);
    wallClockNanos = builder.wallClockNanos;
    targets = new Target[devices.size()][][];
    for (int i = 0; i < targets.length; i++) {
      targets[i] =
          builder.targets.get(i).stream()
              .map(list -> list.toArray(Target[]::new))
              .toArray(Target[][]::new);
    }
  }

  /**
   * The standard PC board for a spec.
   *
   * @param wallClockNanos nanoseconds since 1970-01-01 UTC at virtual time 0, for the real-time
   *     clock and the vCPUs' PV clocks
   */
  public static BoardLayout standard(VmSpec spec, long wallClockNanos) {
    Builder board = new Builder();
    board.wallClockNanos = wallClockNanos;
    int pic = board.device(new Pic(LEVEL_TRIGGERED));
    int ioApic = board.device(new IoApic());
    board.memory(ioApic, IoApic.BASE, IoApic.BASE + IoApic.SIZE - 1, 4);
    board.ports(pic, Pic.MASTER_PORT, Pic.MASTER_PORT + 1, 1);
    board.ports(pic, Pic.SLAVE_PORT, Pic.SLAVE_PORT + 1, 1);
    board.ports(pic, Pic.ELCR_PORT, Pic.ELCR_PORT + 1, 1);
    board.wire(pic, Pic.OUTPUT_INTR, new Target.Intr());

    int pit = board.device(new Pit());
    board.ports(pit, Pit.FIRST_PORT, Pit.LAST_PORT, 1);
    board.ports(pit, Pit.CONTROL_B_PORT, Pit.CONTROL_B_PORT, 1);
    board.isa(pit, Pit.OUTPUT_IRQ, IRQ_TIMER);

    int rtc = board.device(new Rtc(wallClockNanos, spec.getMemoryBytes(), spec.getCpus()));
    board.ports(rtc, Rtc.INDEX_PORT, Rtc.DATA_PORT, 1);
    board.isa(rtc, Rtc.OUTPUT_IRQ, IRQ_RTC);

    int uart = board.device(new Uart("uart0"));
    board.ports(uart, Uart.COM1_PORT, Uart.COM1_PORT + Uart.PORTS - 1, 1);
    board.isa(uart, Uart.OUTPUT_IRQ, IRQ_COM1);

    int debugExit = board.device(new DebugExit());
    board.ports(debugExit, DebugExit.FIRST_PORT, DebugExit.LAST_PORT, 4);

    int port92 = board.device(new Port92());
    board.ports(port92, Port92.PORT, Port92.PORT, 1);

    int i8042 = board.device(new I8042());
    board.ports(i8042, I8042.DATA_PORT, I8042.DATA_PORT, 1);
    board.ports(i8042, I8042.COMMAND_PORT, I8042.COMMAND_PORT, 1);
    board.isa(i8042, I8042.OUTPUT_KEYBOARD, IRQ_KEYBOARD);
    board.isa(i8042, I8042.OUTPUT_AUXILIARY, IRQ_AUXILIARY);

    int pm = board.device(new AcpiPm(PM_TIMER_BITS));
    board.ports(pm, AcpiPm.BASE_PORT, AcpiPm.BASE_PORT + AcpiPm.PORTS - 1, 4);
    board.isa(pm, AcpiPm.OUTPUT_SCI, IRQ_SCI);

    int pci = board.device(new Pci());
    board.ports(pci, Pci.FIRST_PORT, Pci.LAST_PORT, 4);

    int ferr = board.device(new NumericError());
    board.ports(ferr, NumericError.PORT, NumericError.PORT, 1);
    board.isa(ferr, NumericError.OUTPUT_IRQ, IRQ_NUMERIC_ERROR);
    board.wire(ferr, NumericError.OUTPUT_IGNORE, new Target.IgnoreNumericError());
    return board.build();
  }

  /** Nanoseconds since 1970-01-01 UTC at virtual time 0. */
  public long wallClockNanos() {
    return wallClockNanos;
  }

  /**
   * What the standard board's ACPI tables tell the guest.
   *
   * @param cpus vCPUs, 1 to 64
   */
  public static BoardDescription description(int cpus) {
    return new BoardDescription(
        cpus,
        LocalApic.DEFAULT_BASE,
        IoApic.BASE,
        IO_APIC_ID,
        AcpiPm.BASE_PORT,
        IRQ_SCI,
        AcpiPm.SLEEP_TYPE_S5,
        Pci.RESET_PORT,
        Pci.HARD_RESET,
        Uart.COM1_PORT,
        IRQ_COM1,
        Rtc.INDEX_PORT,
        IRQ_RTC,
        PCI_MEMORY_FIRST,
        PCI_MEMORY_LAST);
  }

  /** The devices; a device's place in the list is its index everywhere else. */
  public List<Device> devices() {
    return devices;
  }

  public AddressMap addresses() {
    return addresses;
  }

  /**
   * Where a device's output leads, in the order of sending; empty for one that is not connected.
   */
  public Target[] targets(int device, int output) {
    Target[][] outputs = targets[device];
    return output < outputs.length ? outputs[output] : NOWHERE;
  }

  private static final Target[] NOWHERE = {};

  /** The index of the device of that name. */
  public Optional<Integer> find(String name) {
    for (int i = 0; i < devices.size(); i++) {
      if (devices.get(i).name().equals(name)) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  private static final class Builder {
    private long wallClockNanos;
    private final List<Device> devices = new ArrayList<>();
    private final List<AddressMap.Range> ranges = new ArrayList<>();
    private final List<List<List<Target>>> targets = new ArrayList<>();

    int device(Device device) {
      if (devices.stream().anyMatch(d -> d.name().equals(device.name()))) {
        throw new IllegalArgumentException("two devices of one name: " + device.name());
      }
      devices.add(device);
      targets.add(new ArrayList<>());
      return devices.size() - 1;
    }

    void ports(int device, int first, int last, int width) {
      ranges.add(new AddressMap.Range(device, AddressSpace.PORT, first, last, width));
    }

    void memory(int device, long first, long last, int width) {
      ranges.add(new AddressMap.Range(device, AddressSpace.MEMORY, first, last, width));
    }

    void wire(int device, int output, Target target) {
      List<List<Target>> outputs = targets.get(device);
      while (outputs.size() <= output) {
        outputs.add(new ArrayList<>());
      }
      outputs.get(output).add(target);
    }

    /** An ISA interrupt request goes to both controllers. */
    void isa(int device, int output, int irq) {
      wire(device, output, new Target.Pin(PIC, irq));
      wire(device, output, new Target.Pin(IO_APIC, irq == IRQ_TIMER ? TIMER_PIN : irq));
    }

    BoardLayout build() {
      return new BoardLayout(this);
    }
  }
}
