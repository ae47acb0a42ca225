package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootPlan.Piece;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A Linux bzImage, entered at its 64-bit or, if it has none, its 32-bit entry point
 * (Documentation/arch/x86/boot.rst, protocol 2.12 and 2.10).
 */
public final class LinuxImage implements KernelImage {
  /** The setup header's offsets in the file and in the zero page alike. */
  private static final int SETUP_SECTS = 0x1F1;

  private static final int SYSSIZE = 0x1F4;
  private static final int VID_MODE = 0x1FA;
  private static final int BOOT_FLAG = 0x1FE;
  private static final int JUMP_OFFSET = 0x201;
  private static final int MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int TYPE_OF_LOADER = 0x210;
  private static final int LOADFLAGS = 0x211;
  private static final int RAMDISK_IMAGE = 0x218;
  private static final int RAMDISK_SIZE = 0x21C;
  private static final int HEAP_END = 0x224;
  private static final int CMD_LINE_PTR = 0x228;
  private static final int INITRD_ADDR_MAX = 0x22C;
  private static final int XLOADFLAGS = 0x236;
  private static final int CMDLINE_SIZE = 0x238;
  private static final int PREF_ADDRESS = 0x258;
  private static final int INIT_SIZE = 0x260;

  // Fields of the zero page that are not in the setup header.
  private static final int ACPI_RSDP = 0x070;
  private static final int E820_ENTRIES = 0x1E8;
  private static final int E820_TABLE = 0x2D0;
  private static final int E820_ENTRY_BYTES = 20;

  /** The header may reach up to here, where the next field of the zero page begins. */
  private static final int HEADER_LIMIT = 0x290;

  private static final int ZERO_PAGE_BYTES = 4096;

  /**
   * 2.10 brought pref_address and init_size, without which nobody knows how much memory the kernel
   * takes (Linux 2.6.31).
   */
  private static final int OLDEST_VERSION = 0x20A;

  private static final int LOADED_HIGH = 1;
  private static final int CAN_USE_HEAP = 0x80;
  private static final int XLF_KERNEL_64 = 1;

  /** The 64-bit entry is that far into the protected-mode code. */
  private static final int ENTRY_64 = 0x200;

  private static final int UNREGISTERED_LOADER = 0xFF;
  private static final int VIDEO_NORMAL = 0xFFFF;

  /**
   * Where the zero page and the like may be: above the BIOS data area and the real-mode vectors.
   */
  private static final long LOWEST = 0x1000;

  private final Image image;
  private final long setupBytes;
  private final MemorySegment header;
  private final boolean has64;
  private final long prefAddress;
  private final long initSize;
  private final long initrdMax;
  private final long commandLineMax;

  private LinuxImage(Image image) {
    this.image = image;
    int flag = image.u16(BOOT_FLAG, "boot flag");
    if (flag != 0xAA55) {
      throw image.bad("boot flag at 0x1fe is 0x%04x, expected 0xaa55".formatted(flag));
    }
    int version = image.u16(VERSION, "boot protocol version");
    if (version < OLDEST_VERSION) {
      throw image.bad(
          "boot protocol %d.%02d at 0x206, expected 2.10 or later (Linux 2.6.31)"
              .formatted(version >> 8, version & 255));
    }
    int end = MAGIC + image.u8(JUMP_OFFSET, "setup header's length");
    if (end < INIT_SIZE + 4 || end > HEADER_LIMIT) {
      throw image.bad(
          "setup header ends at 0x%x by the byte at 0x201, expected 0x%x to 0x%x"
              .formatted(end, INIT_SIZE + 4, HEADER_LIMIT));
    }
    header = image.slice(SETUP_SECTS, end - SETUP_SECTS, "setup header");
    if ((image.u8(LOADFLAGS, "loadflags") & LOADED_HIGH) == 0) {
      throw image.bad("loadflags at 0x211 lack LOADED_HIGH: a zImage, expected a bzImage");
    }
    int sectors = image.u8(SETUP_SECTS, "setup_sects");
    setupBytes = ((sectors == 0 ? 4 : sectors) + 1) * 512L;
    has64 = (image.u16(XLOADFLAGS, "xloadflags") & XLF_KERNEL_64) != 0;
    long kernel = image.u32(SYSSIZE, "syssize") * 16;
    if (kernel <= (has64 ? ENTRY_64 : 0)) {
      throw image.bad("syssize at 0x1f4 gives %d bytes of kernel".formatted(kernel));
    }
    image.slice(setupBytes, kernel, "kernel (syssize at 0x1f4)");
    checkSignature();
    prefAddress = image.u64(PREF_ADDRESS, "pref_address");
    initSize = image.u32(INIT_SIZE, "init_size");
    if (prefAddress < MemoryMap.HIGH || prefAddress >= MemoryMap.FOUR_GIB) {
      throw image.bad(
          "pref_address at 0x258 is 0x%x, expected 1 MiB to 4 GiB".formatted(prefAddress));
    }
    if (initSize < kernel) {
      throw image.bad(
          "init_size at 0x260 is %d bytes, less than the kernel's %d".formatted(initSize, kernel));
    }
    initrdMax = image.u32(INITRD_ADDR_MAX, "initrd_addr_max");
    commandLineMax = image.u32(CMDLINE_SIZE, "cmdline_size");
  }

  static boolean recognises(Image image) {
    return image.startsWith(MAGIC, "HdrS");
  }

  static LinuxImage parse(Image image) {
    return new LinuxImage(image);
  }

  /**
   * A signed kernel is a PE whose certificate table comes last (PE format, optional header data
   * directory 4): a file that ends before it has been cut.
   */
  private void checkSignature() {
    if (!image.startsWith(0, "MZ")) {
      return;
    }
    long pe = image.u32(0x3C, "PE header's offset");
    if (!image.startsWith(pe, "PE\0\0") || !image.has(pe + 24, 2)) {
      return;
    }
    long directory =
        switch (image.u16(pe + 24, "PE magic")) {
          case 0x20B -> pe + 24 + 112;
          case 0x10B -> pe + 24 + 96;
          default -> -1;
        };
    if (directory > 0 && image.has(directory, 40)) {
      long offset = image.u32(directory + 32, "PE certificate table");
      image.slice(offset, image.u32(directory + 36, "PE certificate table"), "PE signature");
    }
  }

  @Override
  public String format() {
    return has64 ? "Linux bzImage, 64-bit entry" : "Linux bzImage, 32-bit entry";
  }

  @Override
  public boolean takesModules() {
    return false;
  }

  @Override
  public BootPlan plan(BootRequest request) {
    if (has64) {
      request.needLongMode(image);
    }
    MemoryMap map = MemoryMap.of(request.memorySize());
    Placer placer = new Placer(map);
    placer.claim(prefAddress, initSize, image, "kernel (pref_address, init_size)");
    List<Piece> pieces = new ArrayList<>();
    long tail = image.size() - setupBytes;
    // What follows the kernel proper (a signature) is no use to it and may be longer than init_size
    // allows.
    MemorySegment kernel = image.slice(setupBytes, Math.min(tail, initSize), "kernel");
    pieces.add(new Piece(prefAddress, kernel, 0, "kernel"));

    byte[] text = (request.commandLine() + "\0").getBytes(StandardCharsets.UTF_8);
    if (text.length - 1 > commandLineMax) {
      throw new BadImageException(
          "command line of %d bytes; this kernel takes at most %d (%s)"
              .formatted(text.length - 1, commandLineMax, image.name()));
    }
    GuestBuffer zero = new GuestBuffer(ZERO_PAGE_BYTES);
    zero.bytes(SETUP_SECTS, header.toArray(ValueLayout.JAVA_BYTE));
    zero.u8(TYPE_OF_LOADER, UNREGISTERED_LOADER);
    zero.u8(LOADFLAGS, image.u8(LOADFLAGS, "loadflags") | CAN_USE_HEAP);
    zero.u16(HEAP_END, 0xFE00);
    zero.u16(VID_MODE, VIDEO_NORMAL);
    zero.u64(ACPI_RSDP, AcpiTables.RSDP);
    zero.u8(E820_ENTRIES, map.ranges().size());
    for (int i = 0; i < map.ranges().size(); i++) {
      MemoryMap.Range range = map.ranges().get(i);
      int at = E820_TABLE + i * E820_ENTRY_BYTES;
      zero.u64(at, range.start()).u64(at + 8, range.size()).u32(at + 16, range.type());
    }
    long zeroPage = low(placer, ZERO_PAGE_BYTES, "zero page");
    long commandLine = low(placer, text.length, "command line");
    zero.u32(CMD_LINE_PTR, commandLine);
    placeInitrd(request, placer, zero, pieces);
    pieces.add(new Piece(commandLine, MemorySegment.ofArray(text), 0, "command line"));
    pieces.add(new Piece(zeroPage, zero.segment(), 0, "zero page"));
    Firmware.addTo(pieces, request.board());
    return new BootPlan(pieces, entry(placer, zeroPage, pieces));
  }

  private void placeInitrd(
      BootRequest request, Placer placer, GuestBuffer zero, List<Piece> pieces) {
    if (request.modules().isEmpty()) {
      return;
    }
    if (request.modules().size() > 1) {
      throw new BadImageException(
          "%d initrds; a Linux kernel takes one (%s)"
              .formatted(request.modules().size(), image.name()));
    }
    Image initrd = request.modules().getFirst().image();
    if (initrd.size() == 0) {
      return;
    }
    long address = placer.highest(initrd.size(), MemoryMap.HIGH, initrdMax + 1, "initrd");
    if (address < 0) {
      throw initrd.bad(
          "initrd of %d bytes does not fit: memory of %d bytes has at most %d free for it beside the kernel"
              .formatted(
                  initrd.size(),
                  request.memorySize(),
                  Math.max(0, placer.largestGap(MemoryMap.HIGH))));
    }
    zero.u32(RAMDISK_IMAGE, address).u32(RAMDISK_SIZE, initrd.size());
    pieces.add(new Piece(address, initrd.bytes(), 0, "initrd"));
  }

  private EntryState entry(Placer placer, long zeroPage, List<Piece> pieces) {
    long gdt = low(placer, LinuxTables.GDT_BYTES, "GDT");
    pieces.add(new Piece(gdt, LinuxTables.gdt(has64), 0, "GDT"));
    if (!has64) {
      return new EntryState.Linux32(prefAddress, zeroPage, gdt);
    }
    long stack = low(placer, LinuxTables.STACK_BYTES, "stack");
    long tables = low(placer, LinuxTables.PAGE_TABLES_BYTES, "page tables");
    pieces.add(new Piece(tables, LinuxTables.pageTables(tables), 0, "page tables"));
    return new EntryState.LongMode(
        prefAddress + ENTRY_64, zeroPage, stack + LinuxTables.STACK_BYTES, tables, gdt);
  }

  /**
   * Conventional memory always has room for the little that goes there: the kernel itself is above
   * 1 MiB.
   */
  private long low(Placer placer, long size, String what) {
    long address = placer.lowest(size, LOWEST, what);
    if (address < 0) {
      throw image.bad("no room for the %s of %d bytes".formatted(what, size));
    }
    return address;
  }
}
