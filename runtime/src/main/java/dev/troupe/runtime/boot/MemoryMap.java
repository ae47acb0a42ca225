package dev.troupe.runtime.boot;

import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * What a guest is told about its physical addresses: E820's list (ACPI 6.5 section 15), in
 * ascending order and without overlaps.
 *
 * @param ranges the list, at most {@value #MAX_RANGES} long
 */
public record MemoryMap(List<Range> ranges) {
  /** Usable RAM, as E820, multiboot and PVH number it. */
  public static final int RAM = 1;

  /** Not to be touched. */
  public static final int RESERVED = 2;

  /** More than {@link #of} makes; the zero page has room for 128. */
  public static final int MAX_RANGES = 8;

  /** Conventional memory ends here: the last KiB below 640 KiB is the extended BIOS data area. */
  public static final long EBDA = 0x9FC00;

  /** The adapter hole that every PC has: no usable RAM from here to {@link #HIGH}. */
  public static final long ADAPTERS = 0xA0000;

  /**
   * Where firmware keeps its tables, up to {@link #HIGH}; the ACPI tables are here, as guests that
   * scan for them expect.
   */
  public static final long FIRMWARE = 0xE0000;

  /** RAM above the adapter hole starts here. */
  public static final long HIGH = 0x100000;

  /** Addresses of 32 bits end here; RAM goes on here behind the hole. */
  public static final long FOUR_GIB = 1L << 32;

  /**
   * One range.
   *
   * @param start first address
   * @param size bytes, more than 0
   * @param type {@link #RAM} or {@link #RESERVED}
   */
  public record Range(long start, long size, int type) {
    /** The first address after it. */
    public long end() {
      return start + size;
    }
  }

  public MemoryMap {
    ranges = List.copyOf(ranges);
  }

  /**
   * The map of a machine with {@code memorySize} bytes of RAM, laid out as {@link GuestMemory}
   * does.
   *
   * @throws BadImageException if that is too little for any guest
   */
  public static MemoryMap of(long memorySize) {
    if (memorySize <= HIGH) {
      throw new BadImageException(
          "memory of %d bytes is too small: no RAM above 1 MiB for a kernel".formatted(memorySize));
    }
    List<Range> ranges = new ArrayList<>();
    ranges.add(new Range(0, EBDA, RAM));
    ranges.add(new Range(EBDA, ADAPTERS - EBDA, RESERVED));
    ranges.add(new Range(FIRMWARE, HIGH - FIRMWARE, RESERVED));
    long low = Math.min(memorySize, GuestMemory.HOLE_START);
    ranges.add(new Range(HIGH, low - HIGH, RAM));
    if (memorySize > GuestMemory.HOLE_START) {
      ranges.add(new Range(FOUR_GIB, memorySize - GuestMemory.HOLE_START, RAM));
    }
    return new MemoryMap(ranges);
  }

  /** The usable ranges below 4 GiB. */
  public List<Range> lowRam() {
    return ranges.stream().filter(r -> r.type == RAM && r.end() <= FOUR_GIB).toList();
  }
}
