package dev.troupe.runtime.boot;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The ACPI tables of a board (ACPI 6.5): RSDP, RSDT, XSDT, FADT, FACS, MADT, DSDT, in the firmware
 * area below 1 MiB.
 */
public final class AcpiTables {
  /**
   * Guest-physical address of the RSDP, at the start of the area that guests scan for it (section
   * 5.2.5.1).
   */
  public static final long RSDP = MemoryMap.FIRMWARE;

  private static final int HEADER_BYTES = 36;
  private static final int FADT_BYTES = 276;
  private static final int FACS_BYTES = 64;
  private static final int MADT_FIXED_BYTES = 44;

  /** The FACS wants 64; the others get the same. */
  private static final int ALIGNMENT = 64;

  /** Ports of 8 bits and more are in system I/O space (section 5.2.3.2). */
  private static final int SYSTEM_IO = 1;

  // FADT's flags (section 5.2.9, table 5.10).
  private static final int WBINVD = 1;
  private static final int PROC_C1 = 1 << 2;
  private static final int SLP_BUTTON = 1 << 5;
  private static final int TMR_VAL_EXT = 1 << 8;
  private static final int RESET_REG_SUP = 1 << 10;

  // IA-PC boot architecture flags (table 5.11).
  private static final int LEGACY_DEVICES = 1;
  private static final int I8042 = 1 << 1;
  private static final int VGA_NOT_PRESENT = 1 << 2;

  private static final int PIC_LINES_MAX = 15;

  private final BoardDescription board;
  private final List<byte[]> tables = new ArrayList<>();
  private long next = RSDP + ALIGNMENT;

  private AcpiTables(BoardDescription board) {
    this.board = board;
  }

  /** All tables as they stand from {@link #RSDP} on. */
  public static MemorySegment build(BoardDescription board) {
    return new AcpiTables(board).build();
  }

  private MemorySegment build() {
    long dsdt = add(dsdt());
    long facs = add(facs());
    List<Long> listed = List.of(add(fadt(dsdt, facs)), add(madt()));
    long rsdt = add(pointers("RSDT", 4, listed));
    long xsdt = add(pointers("XSDT", 8, listed));
    GuestBuffer all = new GuestBuffer((int) (next - RSDP));
    all.bytes(0, rsdp(rsdt, xsdt));
    int at = ALIGNMENT;
    for (byte[] table : tables) {
      all.bytes(at, table);
      at += round(table.length);
    }
    if (RSDP + at > MemoryMap.HIGH) {
      throw new IllegalStateException("ACPI tables too long: bytes=" + at);
    }
    return all.segment();
  }

  private long add(byte[] table) {
    long address = next;
    tables.add(table);
    next += round(table.length);
    return address;
  }

  private static int round(int size) {
    return size + ALIGNMENT - 1 & -ALIGNMENT;
  }

  private static byte[] rsdp(long rsdt, long xsdt) {
    GuestBuffer rsdp = new GuestBuffer(36);
    rsdp.bytes(0, ascii("RSD PTR ")).bytes(9, ascii("TROUPE")).u8(15, 2);
    rsdp.u32(16, rsdt).u32(20, 36).u64(24, xsdt);
    checksum(rsdp, 8, 20);
    checksum(rsdp, 32, 36);
    return rsdp.array();
  }

  private static byte[] pointers(String signature, int width, List<Long> addresses) {
    GuestBuffer table = table(signature, 1, HEADER_BYTES + width * addresses.size());
    for (int i = 0; i < addresses.size(); i++) {
      int at = HEADER_BYTES + width * i;
      if (width == 8) {
        table.u64(at, addresses.get(i));
      } else {
        table.u32(at, addresses.get(i));
      }
    }
    return sealed(table);
  }

  /**
   * Fixed hardware as PIIX4 has it. No SMI command port: ACPI mode is on from the start, SCI_EN
   * reads as 1.
   */
  private byte[] fadt(long dsdt, long facs) {
    int event = board.pmBase();
    int control = event + 4;
    int timer = event + 8;
    GuestBuffer table = table("FACP", 6, FADT_BYTES);
    table.u32(36, facs).u32(40, dsdt).u16(46, board.sci());
    table.u32(56, event).u32(64, control).u32(76, timer);
    table.u8(88, 4).u8(89, 2).u8(91, 4);
    // Latencies above 100 and 1000 microseconds say that C2 and C3 are not there.
    table.u16(96, 0xFFF).u16(98, 0xFFF);
    table.u8(108, 0x32); // The RTC's century byte.
    table.u16(109, LEGACY_DEVICES | I8042 | VGA_NOT_PRESENT);
    table.u32(112, WBINVD | PROC_C1 | SLP_BUTTON | TMR_VAL_EXT | RESET_REG_SUP);
    address(table, 116, board.resetPort(), 8, 1);
    table.u8(128, board.resetValue()).u8(131, 5);
    // The FACS is named once: a second, 64-bit address would count as another one.
    table.u64(140, dsdt);
    address(table, 148, event, 32, 2);
    address(table, 172, control, 16, 2);
    address(table, 208, timer, 32, 3);
    return sealed(table);
  }

  /** A generic address structure in I/O space; access sizes: 1 byte, 2 word, 3 dword. */
  private static void address(GuestBuffer table, int at, int port, int bits, int access) {
    table.u8(at, SYSTEM_IO).u8(at + 1, bits).u8(at + 3, access).u64(at + 4, port);
  }

  private static byte[] facs() {
    return new GuestBuffer(FACS_BYTES).bytes(0, ascii("FACS")).u32(4, FACS_BYTES).u8(32, 2).array();
  }

  private byte[] madt() {
    List<byte[]> entries = new ArrayList<>();
    for (int i = 0; i < board.cpus(); i++) {
      entries.add(new GuestBuffer(8).u8(1, 8).u8(2, i).u8(3, i).u32(4, 1).array());
    }
    entries.add(
        new GuestBuffer(12)
            .u8(0, 1)
            .u8(1, 12)
            .u8(2, board.ioApicId())
            .u32(4, board.ioApicBase())
            .array());
    // The PIT's line is the I/O APIC's input 2; the SCI is level-triggered, active high. The other
    // ISA lines are as the bus has
    // them: edge, active high, same number.
    entries.add(override(0, 2, 0));
    entries.add(override(board.sci(), board.sci(), 0xD));
    // LINT1 of all local APICs is the NMI.
    entries.add(new GuestBuffer(6).u8(0, 4).u8(1, 6).u8(2, 0xFF).u8(5, 1).array());
    byte[] list = Aml.join(entries);
    GuestBuffer table = table("APIC", 5, MADT_FIXED_BYTES + list.length);
    table.u32(36, board.localApicBase()).u32(40, 1).bytes(MADT_FIXED_BYTES, list);
    return sealed(table);
  }

  private static byte[] override(int irq, int input, int flags) {
    return new GuestBuffer(10).u8(0, 2).u8(1, 10).u8(3, irq).u32(4, input).u16(8, flags).array();
  }

  private byte[] dsdt() {
    byte[] pci =
        Aml.device(
            "PCI0",
            List.of(
                Aml.name("_HID", Aml.eisaId("PNP0A03")),
                Aml.name("_UID", Aml.integer(0)),
                Aml.name("_BBN", Aml.integer(0)),
                Aml.name(
                    "_CRS",
                    Aml.resources(
                        List.of(
                            Aml.busNumbers(0, 0),
                            Aml.ports(0xCF8, 8),
                            Aml.portWindow(0, 0xCF7),
                            Aml.portWindow(0xD00, 0xFFFF),
                            Aml.memoryWindow(board.pciMemoryStart(), board.pciMemoryEnd()))))));
    byte[] com1 = isa("COM1", "PNP0501", 1, board.com1Port(), 8, board.com1Irq());
    byte[] rtc = isa("RTC", "PNP0B00", 0, board.rtcPort(), 2, board.rtcIrq());
    byte[] off = Aml.integer(board.sleepTypeOff());
    byte[] none = Aml.integer(0);
    byte[] code =
        Aml.join(
            List.of(
                Aml.scope("_SB", List.of(pci, com1, rtc)),
                Aml.rootName("_S5", Aml.pack(List.of(off, off, none, none)))));
    GuestBuffer table = table("DSDT", 2, HEADER_BYTES + code.length);
    return sealed(table.bytes(HEADER_BYTES, code));
  }

  private static byte[] isa(String name, String id, int unit, int port, int length, int irq) {
    if (irq < 0 || irq > PIC_LINES_MAX) {
      throw new IllegalArgumentException("no ISA interrupt: irq=" + irq);
    }
    return Aml.device(
        name,
        List.of(
            Aml.name("_HID", Aml.eisaId(id)),
            Aml.name("_UID", Aml.integer(unit)),
            Aml.name("_CRS", Aml.resources(List.of(Aml.ports(port, length), Aml.irq(irq))))));
  }

  /** A table with its header but for the checksum (section 5.2.6). */
  private static GuestBuffer table(String signature, int revision, int size) {
    GuestBuffer table = new GuestBuffer(size);
    table.bytes(0, ascii(signature)).u32(4, size).u8(8, revision);
    table.bytes(10, ascii("TROUPE")).bytes(16, ascii("TROUPE  ")).u32(24, 1);
    return table.bytes(28, ascii("TRPE")).u32(32, 1);
  }

  private static byte[] sealed(GuestBuffer table) {
    checksum(table, 9, table.array().length);
    return table.array();
  }

  /** Sets the byte that makes the sum of the first {@code length} bytes 0. */
  private static void checksum(GuestBuffer table, int at, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += table.array()[i];
    }
    table.u8(at, -sum);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
