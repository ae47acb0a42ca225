package dev.troupe.runtime.memory;

/**
 * Guest-physical memory: RAM mapped outside the heap, sparse, with the hole below 4 GiB that x86 boards have. RAM is
 * [0, min(size, HOLE_START)) and, for larger guests, [4 GiB, 4 GiB + size - HOLE_START).
 */
public final class GuestMemory implements AutoCloseable {
  /** RAM below 4 GiB ends here at the latest; above it are PCI memory, the I/O APIC and the local APICs. */
  public static final long HOLE_START = 0xC000_0000L;

  /** Not a host address: no RAM there. */
  public static final long NO_RAM = 0;

  private final long size;

  private GuestMemory(long size) {
    this.size = size;
  }

  /** Maps {@code size} bytes (a multiple of 4096), none of them touched. */
  public static GuestMemory allocate(long size) {
    return new GuestMemory(size); // replaced by the memory work
  }

  public long size() {
    return size;
  }

  /** Host address of a guest-physical address, or {@link #NO_RAM}. Valid to the end of its 4 KiB page. */
  public long hostAddress(long physical) {
    return NO_RAM;
  }

  @Override
  public void close() {}
}
