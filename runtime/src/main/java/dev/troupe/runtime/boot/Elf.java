package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootPlan.Piece;
import java.util.ArrayList;
import java.util.List;

/**
 * An x86 executable in ELF32 or ELF64 form (System V ABI, chapters 4 and 5), as far as loading it
 * goes.
 *
 * @param is64 its class
 * @param entry e_entry
 * @param segments the PT_LOAD headers with bytes in memory, in the file's order
 * @param notes the PT_NOTE headers
 */
record Elf(boolean is64, long entry, List<Segment> segments, List<Segment> notes) {
  /** Real kernels have fewer than 16; the bound keeps hostile tables short. */
  static final int MAX_HEADERS = 128;

  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int SHT_NULL = 0;
  private static final int SHT_NOBITS = 8;
  private static final int EM_386 = 3;
  private static final int EM_X86_64 = 62;

  /**
   * One program header.
   *
   * @param offset of its bytes in the file, checked
   * @param virtual address that code is linked for
   * @param physical address to load at
   * @param fileSize bytes in the file
   * @param memorySize bytes in memory, not less
   */
  record Segment(long offset, long virtual, long physical, long fileSize, long memorySize) {}

  static boolean recognises(Image image) {
    return image.startsWith(0, "\u007fELF");
  }

  static Elf parse(Image image) {
    int kind = image.u8(4, "ELF class");
    if (kind != 1 && kind != 2) {
      throw image.bad(
          "ELF class at 0x4 is %d, expected 1 (32 bits) or 2 (64 bits)".formatted(kind));
    }
    int order = image.u8(5, "ELF byte order");
    if (order != 1) {
      throw image.bad("ELF byte order at 0x5 is %d, expected 1 (little-endian)".formatted(order));
    }
    boolean is64 = kind == 2;
    int machine = image.u16(0x12, "ELF machine");
    if (machine != EM_386 && machine != EM_X86_64) {
      throw image.bad(
          "ELF machine at 0x12 is %d, expected 3 (386) or 62 (x86-64)".formatted(machine));
    }
    long entry = is64 ? image.u64(0x18, "ELF entry") : image.u32(0x18, "ELF entry");
    long table = is64 ? image.u64(0x20, "ELF header") : image.u32(0x1C, "ELF header");
    int size = image.u16(is64 ? 0x36 : 0x2A, "ELF header");
    int count = image.u16(is64 ? 0x38 : 0x2C, "ELF header");
    int wanted = is64 ? 56 : 32;
    if (size != wanted) {
      throw image.bad("ELF program headers of %d bytes each, expected %d".formatted(size, wanted));
    }
    if (count == 0 || count > MAX_HEADERS) {
      throw image.bad("ELF has %d program headers, expected 1 to %d".formatted(count, MAX_HEADERS));
    }
    image.slice(table, (long) size * count, "ELF program headers");
    checkSections(image, is64);
    List<Segment> segments = new ArrayList<>();
    List<Segment> notes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long at = table + (long) i * size;
      long type = image.u32(at, "program header");
      if (type != PT_LOAD && type != PT_NOTE) {
        continue;
      }
      Segment segment = is64 ? segment64(image, at) : segment32(image, at);
      check(image, i, segment);
      if (type == PT_NOTE) {
        notes.add(segment);
      } else if (segment.memorySize > 0) {
        segments.add(segment);
      }
    }
    return new Elf(is64, entry, List.copyOf(segments), List.copyOf(notes));
  }

  /**
   * Sections are no use to a loader, but they or their headers come last: an ELF that lacks some of
   * them has been cut.
   */
  private static void checkSections(Image image, boolean is64) {
    long table = is64 ? image.u64(0x28, "ELF header") : image.u32(0x20, "ELF header");
    int size = image.u16(is64 ? 0x3A : 0x2E, "ELF header");
    int count = image.u16(is64 ? 0x3C : 0x30, "ELF header");
    if (count == 0) {
      return;
    }
    int wanted = is64 ? 64 : 40;
    if (size != wanted) {
      throw image.bad("ELF section headers of %d bytes each, expected %d".formatted(size, wanted));
    }
    String what = "ELF section headers";
    image.slice(table, (long) size * count, what);
    for (int i = 0; i < count; i++) {
      long at = table + (long) i * size;
      long type = image.u32(at + 4, what);
      if (type != SHT_NULL && type != SHT_NOBITS) {
        long offset = is64 ? image.u64(at + 24, what) : image.u32(at + 16, what);
        long bytes = is64 ? image.u64(at + 32, what) : image.u32(at + 20, what);
        image.slice(offset, bytes, "ELF section " + i);
      }
    }
  }

  private static Segment segment64(Image image, long at) {
    String what = "program header";
    return new Segment(
        image.u64(at + 8, what),
        image.u64(at + 16, what),
        image.u64(at + 24, what),
        image.u64(at + 32, what),
        image.u64(at + 40, what));
  }

  private static Segment segment32(Image image, long at) {
    String what = "program header";
    return new Segment(
        image.u32(at + 4, what),
        image.u32(at + 8, what),
        image.u32(at + 12, what),
        image.u32(at + 16, what),
        image.u32(at + 20, what));
  }

  private static void check(Image image, int number, Segment segment) {
    image.slice(segment.offset, segment.fileSize, "ELF segment " + number);
    if (Long.compareUnsigned(segment.memorySize, segment.fileSize) < 0) {
      throw image.bad(
          "ELF segment %d has %d bytes in memory, less than its %d in the file"
              .formatted(number, segment.memorySize, segment.fileSize));
    }
  }

  /** Takes the segments' memory and lists what goes there. */
  List<Piece> load(Image image, Placer placer) {
    if (segments.isEmpty()) {
      throw image.bad("ELF has nothing to load");
    }
    List<Piece> pieces = new ArrayList<>();
    for (Segment s : segments) {
      placer.claim(s.physical, s.memorySize, image, "ELF segment");
      pieces.add(
          new Piece(
              s.physical,
              image.slice(s.offset, s.fileSize, "ELF segment"),
              s.memorySize - s.fileSize,
              "kernel"));
    }
    return pieces;
  }

  /** The physical address of the entry point: kernels linked high give the virtual one. */
  long physicalEntry() {
    for (Segment s : segments) {
      long into = entry - s.virtual;
      if (into >= 0 && into < s.memorySize) {
        return s.physical + into;
      }
    }
    return entry;
  }
}
