package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootPlan.Piece;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An ELF with Xen's PVH entry (a vmlinux): 32-bit protected mode, EBX points to hvm_start_info
 * (xen/include/public/arch-x86/hvm/start_info.h version 1, docs/misc/pvh.pandoc): modules, command
 * line, RSDP, and the memory map that Xen itself would give by a hypercall in version 0.
 */
public final class PvhImage implements KernelImage {
  /** XEN_ELFNOTE_PHYS32_ENTRY. */
  private static final int NOTE_ENTRY = 18;

  private static final int START_MAGIC = 0x336E_C578;
  private static final int START_BYTES = 56;
  private static final int MODULE_BYTES = 32;
  private static final int RANGE_BYTES = 24;

  /** Real kernels have a handful of notes; the bound keeps hostile lists short. */
  private static final int MAX_NOTES = 1024;

  /** Above the BIOS data area and the real-mode vectors. */
  private static final long LOWEST = 0x1000;

  private final Image image;
  private final Elf elf;
  private final long entry;

  private PvhImage(Image image, Elf elf, long entry) {
    this.image = image;
    this.elf = elf;
    this.entry = entry;
  }

  /** The image, if one of its notes names the entry. */
  static Optional<PvhImage> find(Image image, Elf elf) {
    int seen = 0;
    for (Elf.Segment note : elf.notes()) {
      long at = note.offset();
      long end = at + note.fileSize();
      while (at + 12 <= end && seen++ < MAX_NOTES) {
        long name = image.u32(at, "ELF note");
        long size = image.u32(at + 4, "ELF note");
        long value = at + 12 + round(name);
        if (value + round(size) > end) {
          throw image.bad(
              "ELF note at 0x%x reaches beyond its segment's end 0x%x".formatted(at, end));
        }
        if (image.u32(at + 8, "ELF note") == NOTE_ENTRY
            && name == 4
            && image.startsWith(at + 12, "Xen\0")) {
          return Optional.of(new PvhImage(image, elf, entry(image, elf, value, size)));
        }
        at = value + round(size);
      }
    }
    return Optional.empty();
  }

  private static long round(long size) {
    return size + 3 & -4L;
  }

  private static long entry(Image image, Elf elf, long value, long size) {
    if (size != 4 && size != 8) {
      throw image.bad("PVH entry note of %d bytes, expected 4 or 8".formatted(size));
    }
    long entry = size == 4 ? image.u32(value, "PVH entry") : image.u64(value, "PVH entry");
    boolean inside =
        elf.segments().stream()
            .anyMatch(s -> entry - s.physical() >= 0 && entry - s.physical() < s.memorySize());
    if (!inside || entry < 0 || entry >= MemoryMap.FOUR_GIB) {
      throw image.bad("PVH entry 0x%x is in no segment below 4 GiB".formatted(entry));
    }
    return entry;
  }

  @Override
  public String format() {
    return "PVH ELF";
  }

  @Override
  public boolean takesModules() {
    return false;
  }

  @Override
  public BootPlan plan(BootRequest request) {
    if (elf.is64()) {
      request.needLongMode(image);
    }
    MemoryMap map = MemoryMap.of(request.memorySize());
    Placer placer = new Placer(map);
    List<Piece> pieces = new ArrayList<>(elf.load(image, placer));
    int modules = request.modules().size();
    int ranges = map.ranges().size();
    byte[] text = (request.commandLine() + "\0").getBytes(StandardCharsets.UTF_8);
    int moduleTable = START_BYTES;
    int rangeTable = moduleTable + modules * MODULE_BYTES;
    int commandLine = rangeTable + ranges * RANGE_BYTES;
    int size = commandLine + text.length;
    long info = placer.lowest(size, LOWEST, "start information");
    if (info < 0) {
      throw image.bad("no room for %d bytes of start information".formatted(size));
    }
    GuestBuffer start = new GuestBuffer(size);
    start.u32(0, START_MAGIC).u32(4, 1).u32(12, modules);
    start.u64(16, modules == 0 ? 0 : info + moduleTable).u64(24, info + commandLine);
    start.u64(32, AcpiTables.RSDP).u64(40, info + rangeTable).u32(48, ranges);
    for (int i = 0; i < modules; i++) {
      Image module = request.modules().get(i).image();
      long address = Modules.place(module, elf, placer, request.memorySize());
      pieces.add(new Piece(address, module.bytes(), 0, "module"));
      start
          .u64(moduleTable + i * MODULE_BYTES, address)
          .u64(moduleTable + i * MODULE_BYTES + 8, module.size());
    }
    for (int i = 0; i < ranges; i++) {
      MemoryMap.Range range = map.ranges().get(i);
      int at = rangeTable + i * RANGE_BYTES;
      start.u64(at, range.start()).u64(at + 8, range.size()).u32(at + 16, range.type());
    }
    start.bytes(commandLine, text);
    MemorySegment bytes = start.segment();
    pieces.add(new Piece(info, bytes, 0, "start information"));
    Firmware.addTo(pieces, request.board());
    return new BootPlan(pieces, new EntryState.ProtectedMode(entry, 0, info));
  }
}
