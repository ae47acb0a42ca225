package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootPlan.Piece;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A multiboot-1 kernel: an ELF32, or a flat file whose header gives the addresses (Multiboot
 * Specification 0.6.96). It is entered in 32-bit protected mode with EAX = 0x2BADB002 and EBX = the
 * information structure.
 */
public final class MultibootImage implements KernelImage {
  private static final long LOADER_MAGIC = 0x2BAD_B002L;

  /**
   * Bits 0 to 15 are demands on the loader; those that this loader can meet, or (video) that a
   * kernel can do without.
   */
  private static final int DEMANDS_MET =
      MultibootHeader.PAGE_ALIGN | MultibootHeader.MEMORY_INFORMATION | MultibootHeader.VIDEO_MODE;

  private static final int INFO_BYTES = 88;
  private static final int MODULE_BYTES = 16;
  private static final int RANGE_BYTES = 24;

  // Which fields of the information structure are valid.
  private static final int HAS_MEMORY = 1;
  private static final int HAS_COMMAND_LINE = 1 << 2;
  private static final int HAS_MODULES = 1 << 3;
  private static final int HAS_MEMORY_MAP = 1 << 6;
  private static final int HAS_LOADER_NAME = 1 << 9;

  /**
   * Where the structure goes unless the kernel itself is there: above the BIOS data area and the
   * real-mode vectors.
   */
  private static final long INFO_LOWEST = 0x9000;

  private static final byte[] LOADER_NAME = "troupe\0".getBytes(StandardCharsets.US_ASCII);

  private final Image image;
  private final Elf elf;

  /** Takes the place of an ELF's one segment; absent in an ELF. */
  private final Optional<Elf> flat;

  private MultibootImage(Image image, Optional<Elf> flat, Elf elf) {
    this.image = image;
    this.flat = flat;
    this.elf = elf;
  }

  static MultibootImage parse(Image image, MultibootHeader header, Optional<Elf> elf) {
    long unknown = header.flags() & 0xFFFF & ~DEMANDS_MET;
    if (unknown != 0) {
      throw image.bad(
          "multiboot flags at 0x%x are 0x%x: requirement bits 0x%x are unknown"
              .formatted(header.offset() + 4, header.flags(), unknown));
    }
    if ((header.flags() & MultibootHeader.ADDRESSES) != 0) {
      Elf flat = flat(image, header);
      return new MultibootImage(image, Optional.of(flat), flat);
    }
    Elf form =
        elf.orElseThrow(
            () ->
                image.bad(
                    "multiboot header at 0x%x without addresses (flags bit 16), in a file that is no ELF"
                        .formatted(header.offset())));
    if (form.is64()) {
      throw image.bad(
          "multiboot kernel is an ELF64, expected an ELF32 (or addresses in its header)");
    }
    return new MultibootImage(image, Optional.empty(), form);
  }

  private static Elf flat(Image image, MultibootHeader header) {
    long at = header.offset();
    long headerAddress = image.u32(at + 12, "multiboot header_addr");
    long load = image.u32(at + 16, "multiboot load_addr");
    long loadEnd = image.u32(at + 20, "multiboot load_end_addr");
    long bssEnd = image.u32(at + 24, "multiboot bss_end_addr");
    long entry = image.u32(at + 28, "multiboot entry_addr");
    long offset = at - (headerAddress - load);
    if (load > headerAddress || offset < 0) {
      throw image.bad(
          "multiboot load_addr 0x%x does not fit header_addr 0x%x for a header at 0x%x of the file"
              .formatted(load, headerAddress, at));
    }
    if (loadEnd != 0 && loadEnd < headerAddress) {
      throw image.bad(
          "multiboot load_end_addr 0x%x is below header_addr 0x%x"
              .formatted(loadEnd, headerAddress));
    }
    long size = loadEnd == 0 ? image.size() - offset : loadEnd - load;
    image.slice(offset, size, "multiboot text and data");
    long memory = bssEnd == 0 ? size : bssEnd - load;
    if (memory < size) {
      throw image.bad(
          "multiboot bss_end_addr 0x%x is below the end of data 0x%x"
              .formatted(bssEnd, load + size));
    }
    Elf.Segment segment = new Elf.Segment(offset, load, load, size, memory);
    return new Elf(false, entry, List.of(segment), List.of());
  }

  @Override
  public String format() {
    return flat.isPresent() ? "multiboot, flat" : "multiboot ELF32";
  }

  @Override
  public boolean takesModules() {
    return true;
  }

  @Override
  public BootPlan plan(BootRequest request) {
    MemoryMap map = MemoryMap.of(request.memorySize());
    Placer placer = new Placer(map);
    List<Piece> pieces = new ArrayList<>(elf.load(image, placer));
    // As other loaders do, the kernel's own name comes first.
    byte[] commandLine = text((image.name() + " " + request.commandLine()).stripTrailing());
    List<byte[]> strings = request.modules().stream().map(m -> text(m.arguments())).toList();
    int modules = strings.size();
    int rangeTable = INFO_BYTES;
    int moduleTable = rangeTable + map.ranges().size() * RANGE_BYTES;
    int loaderName = moduleTable + modules * MODULE_BYTES;
    int commandLineAt = loaderName + LOADER_NAME.length;
    int stringsAt = commandLineAt + commandLine.length;
    int size = stringsAt + strings.stream().mapToInt(s -> s.length).sum();
    long base = placer.lowest(size, INFO_LOWEST, "multiboot information");
    if (base < 0) {
      throw image.bad("no room for %d bytes of multiboot information".formatted(size));
    }
    GuestBuffer info = new GuestBuffer(size);
    MemoryMap.Range high =
        map.lowRam().stream().filter(r -> r.start() == MemoryMap.HIGH).findFirst().orElseThrow();
    int valid = HAS_MEMORY | HAS_COMMAND_LINE | HAS_MEMORY_MAP | HAS_LOADER_NAME;
    info.u32(0, modules == 0 ? valid : valid | HAS_MODULES);
    info.u32(4, MemoryMap.EBDA >> 10).u32(8, high.size() >> 10);
    info.u32(16, base + commandLineAt).bytes(commandLineAt, commandLine);
    info.u32(20, modules).u32(24, modules == 0 ? 0 : base + moduleTable);
    info.u32(44, (long) map.ranges().size() * RANGE_BYTES).u32(48, base + rangeTable);
    info.u32(64, base + loaderName).bytes(loaderName, LOADER_NAME);
    for (int i = 0; i < map.ranges().size(); i++) {
      MemoryMap.Range range = map.ranges().get(i);
      int at = rangeTable + i * RANGE_BYTES;
      info.u32(at, RANGE_BYTES - 4).u64(at + 4, range.start()).u64(at + 12, range.size());
      info.u32(at + 20, range.type());
    }
    int next = stringsAt;
    for (int i = 0; i < modules; i++) {
      Image module = request.modules().get(i).image();
      long address = Modules.place(module, elf, placer, request.memorySize());
      pieces.add(new Piece(address, module.bytes(), 0, "module"));
      int at = moduleTable + i * MODULE_BYTES;
      info.u32(at, address).u32(at + 4, address + module.size()).u32(at + 8, base + next);
      info.bytes(next, strings.get(i));
      next += strings.get(i).length;
    }
    pieces.add(new Piece(base, info.segment(), 0, "multiboot information"));
    Firmware.addTo(pieces, request.board());
    return new BootPlan(
        pieces, new EntryState.ProtectedMode(elf.physicalEntry(), LOADER_MAGIC, base));
  }

  private static byte[] text(String text) {
    return (text + "\0").getBytes(StandardCharsets.UTF_8);
  }
}
