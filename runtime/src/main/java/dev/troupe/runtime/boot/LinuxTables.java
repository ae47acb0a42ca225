package dev.troupe.runtime.boot;

import java.lang.foreign.MemorySegment;

/**
 * The tables with which Linux's entry points are reached: a GDT, and for the 64-bit one page tables
 * that map 4 GiB to themselves.
 */
final class LinuxTables {
  /** Null, unused, code (0x10), data (0x18). */
  static final int GDT_BYTES = 32;

  static final int STACK_BYTES = 4096;

  /** PML4, one PDPT, four page directories of 2 MiB pages. */
  static final int PAGE_TABLES_BYTES = 6 * 4096;

  private static final long PRESENT_WRITABLE = 3;
  private static final long LARGE = 0x80;
  private static final long LARGE_PAGE = 2 << 20;
  private static final long CODE_64 = 0x00AF_9B00_0000_FFFFL;
  private static final long CODE_32 = 0x00CF_9B00_0000_FFFFL;
  private static final long DATA = 0x00CF_9300_0000_FFFFL;

  private LinuxTables() {}

  static MemorySegment gdt(boolean long64) {
    return new GuestBuffer(GDT_BYTES)
        .u64(EntryState.CODE_SELECTOR, long64 ? CODE_64 : CODE_32)
        .u64(EntryState.DATA_SELECTOR, DATA)
        .segment();
  }

  static MemorySegment pageTables(long address) {
    GuestBuffer tables = new GuestBuffer(PAGE_TABLES_BYTES);
    tables.u64(0, address + 4096 | PRESENT_WRITABLE);
    for (int i = 0; i < 4; i++) {
      tables.u64(4096 + 8 * i, address + (2 + i) * 4096L | PRESENT_WRITABLE);
    }
    for (int i = 0; i < 4 * 512; i++) {
      tables.u64(2 * 4096 + 8 * i, i * LARGE_PAGE | LARGE | PRESENT_WRITABLE);
    }
    return tables.segment();
  }
}
