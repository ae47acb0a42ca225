package dev.troupe.runtime.memory;

import java.util.function.LongConsumer;

/**
 * What is known of each page of guest memory, by its number: whether it was written, and whether a
 * TLB may hold a fast write tag for it. Sparse, as the memory is; any thread.
 */
final class PageFlags {
  /** Written since {@link #clearDirty}. */
  private static final int DIRTY = 1;

  /** Some TLB may hold a fast write tag for this page. */
  private static final int GRANTED = 2;

  /** Was dirty before {@link #clearDirty}. */
  private static final int TOUCHED = 8;

  /** Flags from here on: written since the {@link DirtyLog} of that number was drained. */
  private static final int FIRST_LOG = 0x100;

  /** The state's digest, a copy under way to another host, and as many again. */
  private static final int MAXIMUM_LOGS = 4;

  private final HostMapping mapping;
  private final long base;
  private final long pages;
  private int logs;

  PageFlags(long pages) {
    this.pages = pages;
    mapping = HostMapping.map(pages * Integer.BYTES);
    base = mapping.address();
  }

  private long address(long page) {
    return base + (page << 2);
  }

  private int get(long page) {
    return Raw.getAcquire32(address(page));
  }

  /** The page is going to be written. */
  void markDirty(long page) {
    if (!isDirty(page)) {
      Raw.getAndOr32(address(page), DIRTY);
    }
  }

  boolean isDirty(long page) {
    return (get(page) & DIRTY) != 0;
  }

  /** False if the page was not written since the power-on state. */
  boolean isTouched(long page) {
    return (get(page) & (DIRTY | TOUCHED)) != 0;
  }

  /** A fast write tag has been put; true if the page is dirty, so that the tag may stay. */
  boolean grant(long page) {
    return (Raw.getAndOr32(address(page), GRANTED) & DIRTY) != 0;
  }

  boolean isGranted(long page) {
    return (get(page) & GRANTED) != 0;
  }

  /** No TLB holds a fast write tag any more. */
  void ungrant(long page) {
    Raw.getAndAnd32(address(page), ~GRANTED);
  }

  /** All pages count as clean, and none as granted; the logs are told of what was dirty. */
  void clearDirty() {
    int passedOn = TOUCHED | ((1 << logs) - 1) * FIRST_LOG;
    for (long page = 0; page < pages; page++) {
      long address = address(page);
      // Reading does not make a sparse page of flags real; writing would.
      if ((Raw.get32(address) & (DIRTY | GRANTED)) != 0
          && (Raw.getAndAnd32(address, ~(DIRTY | GRANTED)) & DIRTY) != 0) {
        Raw.getAndOr32(address, passedOn);
      }
    }
  }

  /** A new log's mark, on all pages that were ever written. */
  int openLog() {
    if (logs == MAXIMUM_LOGS) {
      throw new IllegalStateException("too many dirty logs: open=" + logs);
    }
    int bit = FIRST_LOG << logs++;
    for (long page = 0; page < pages; page++) {
      if (isTouched(page)) {
        Raw.getAndOr32(address(page), bit);
      }
    }
    return bit;
  }

  /** Takes a log's mark off every page that has it, in ascending order. */
  void takeMarks(int bit, LongConsumer marked) {
    for (long page = 0; page < pages; page++) {
      long address = address(page);
      if ((Raw.get32(address) & bit) != 0) {
        Raw.getAndAnd32(address, ~bit);
        marked.accept(page);
      }
    }
  }

  /** Clears all flags of all pages. */
  void discard() {
    mapping.discard();
  }

  void close() {
    mapping.close();
  }
}
