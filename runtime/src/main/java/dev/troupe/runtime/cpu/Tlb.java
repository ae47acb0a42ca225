package dev.troupe.runtime.cpu;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.memory.WriteGrants;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.Arrays;
import java.util.function.LongPredicate;

/**
 * The translation lookaside buffer that the guest sees: direct-mapped, {@link #ENTRIES} entries of
 * {@link #ENTRY_BYTES} bytes a bank, outside the heap, the same for all engines (DESIGN.md, law on
 * the TLB).
 *
 * <p>An entry is {read tag, write tag, execute tag, addend}. A tag that permits an access without
 * more ado is the linear address of the page; then {@code (linear ^ tag) <= 4096 - size}, unsigned,
 * is the whole check, page crossing included, and the host address is {@code linear + addend}. A
 * tag with bit 12 flipped never passes that check in its own entry: {@link #slow} tags say that the
 * access is permitted but has to be looked at (code, clean or watched page); zeroes, and bit 12
 * alone in entry 0, say that it has to be walked.
 *
 * <p>Banks: user; supervisor; supervisor with SMAP lifted by EFLAGS.AC; and one that is never
 * filled, which a vCPU that must look at every access (alignment checks) uses instead of its own.
 */
public final class Tlb implements WriteGrants, Stateful {
  public static final int ENTRIES = 4096;
  public static final int ENTRY_BYTES = 32;
  public static final int BANK_BYTES = ENTRIES * ENTRY_BYTES;

  /** {@code (linear >>> INDEX_SHIFT) & INDEX_MASK} is the entry's offset in its bank. */
  public static final int INDEX_SHIFT = 7;

  public static final int INDEX_MASK = (ENTRIES - 1) * ENTRY_BYTES;

  /** Bytes a page, as the hit check needs it. */
  static final long PAGE = 4096;

  /** Offsets in an entry. */
  public static final int READ = 0;

  public static final int WRITE = 8;
  public static final int EXECUTE = 16;
  public static final int ADDEND = 24;

  /** Banks. */
  public static final int USER = 0;

  public static final int SUPERVISOR = 1;
  public static final int SUPERVISOR_AC = 2;
  public static final int CHECKED = 3;

  private static final int FILLED_BANKS = 3;
  private static final int BANKS = 4;
  private static final long PAGE_MASK = -4096L;

  /** An invalid tag of entry 0, where zero would be the tag of page 0. */
  private static final long INVALID_AT_ZERO = 0x1000;

  // What is remembered of an entry besides its tags.
  private static final byte LISTED = 1;
  private static final byte GLOBAL = 2;

  /** Page is larger than 4 KiB, up to 4 MiB. */
  private static final byte LARGE = 4;

  /** Page is 1 GiB. */
  private static final byte HUGE = 8;

  private static final int SMALL_SHIFT = 12;
  private static final int LARGE_SHIFT = 22;
  private static final int HUGE_SHIFT = 30;

  // An entry's rights, as saved.
  private static final int CAN_READ = 1;
  private static final int CAN_WRITE = 1 << 1;
  private static final int CAN_EXECUTE = 1 << 2;
  private static final int IS_GLOBAL = 1 << 3;

  private final GuestMemory memory;
  private final long base;
  private final byte[] traits = new byte[FILLED_BANKS * ENTRIES];

  /** Entries that may be valid, bank * ENTRIES + index, so that a flush need not visit all. */
  private final int[] filled = new int[FILLED_BANKS * ENTRIES];

  private int filledCount;

  /**
   * Whether a fragment of a large page may be held around an address: a filter by address bits, so
   * that most INVLPGs visit their own entries only.
   */
  private final boolean[] largeNear = new boolean[ENTRIES];

  private final boolean[] hugeNear = new boolean[ENTRIES];

  /**
   * Maps the banks beside the guest's memory and registers with it.
   *
   * @param before bytes that an engine has for itself just before the banks, a multiple of {@link
   *     #PAGE}
   */
  public Tlb(GuestMemory memory, long before) {
    this.memory = memory;
    base = memory.mapBeside(before + (long) BANKS * BANK_BYTES) + before;
    for (int bank = 0; bank < BANKS; bank++) {
      invalidate(bankAddress(bank), 0);
    }
    memory.addWriteGrants(this);
  }

  /** Host address of a bank. */
  public long bankAddress(int bank) {
    return base + (long) bank * BANK_BYTES;
  }

  /** Host address of the entry for a linear address. */
  public static long entry(long bankAddress, long linear) {
    return bankAddress + ((linear >>> INDEX_SHIFT) & INDEX_MASK);
  }

  /** The tag that says: permitted, but look first. */
  static long slow(long page) {
    return (page ^ 0x1000) | 1;
  }

  private static void invalidate(long entry, int index) {
    long invalid = index == 0 ? INVALID_AT_ZERO : 0;
    Raw.put64(entry + READ, invalid);
    Raw.put64(entry + WRITE, invalid);
    Raw.put64(entry + EXECUTE, invalid);
  }

  /**
   * Prepares an entry for a page: an entry of another page is evicted, all its tags go; tags of the
   * same translation stay. The caller then puts tags.
   *
   * @param bank {@link #USER} to {@link #SUPERVISOR_AC}
   * @param page linear address of the 4 KiB fragment
   * @param addend host address minus linear address
   * @param global whether the entry survives a CR3 write
   * @param shift size of the guest's page: 12, 21, 22 or 30
   * @return host address of the entry
   */
  long claim(int bank, long page, long addend, boolean global, int shift) {
    int index = (int) (page >>> 12) & (ENTRIES - 1);
    int number = bank * ENTRIES + index;
    long entry = bankAddress(bank) + (long) index * ENTRY_BYTES;
    byte old = traits[number];
    if ((old & LISTED) == 0) {
      filled[filledCount++] = number;
      invalidate(entry, index);
    } else if (!holds(entry, page) || Raw.get64(entry + ADDEND) != addend) {
      invalidate(entry, index);
    }
    byte now = LISTED;
    if (global) {
      now |= GLOBAL;
    }
    if (shift == HUGE_SHIFT) {
      now |= HUGE;
      hugeNear[(int) (page >>> HUGE_SHIFT) & (ENTRIES - 1)] = true;
    } else if (shift > SMALL_SHIFT) {
      now |= LARGE;
      largeNear[(int) (page >>> LARGE_SHIFT) & (ENTRIES - 1)] = true;
    }
    traits[number] = now;
    Raw.put64(entry + ADDEND, addend);
    return entry;
  }

  private static boolean holds(long entry, long page) {
    long slow = slow(page);
    for (int tag = READ; tag <= EXECUTE; tag += 8) {
      long value = Raw.get64(entry + tag);
      if (value == page || value == slow) {
        return true;
      }
    }
    return false;
  }

  /** The linear page of a valid tag, or 1 for none. */
  private static long pageOf(long tag, int index) {
    if ((tag & 1) != 0) {
      return (tag & PAGE_MASK) ^ 0x1000;
    }
    return ((int) (tag >>> 12) & (ENTRIES - 1)) == index ? tag : 1;
  }

  private long pageHeld(int number) {
    int index = number & (ENTRIES - 1);
    long entry = entryOf(number);
    for (int tag = READ; tag <= EXECUTE; tag += 8) {
      long page = pageOf(Raw.get64(entry + tag), index);
      if (page != 1) {
        return page;
      }
    }
    return 1;
  }

  private long entryOf(int number) {
    return bankAddress(number / ENTRIES) + (long) (number & (ENTRIES - 1)) * ENTRY_BYTES;
  }

  /** Drops every entry, or every one that is not global. */
  public void flush(boolean keepGlobal) {
    int kept = 0;
    for (int i = 0; i < filledCount; i++) {
      int number = filled[i];
      if (keepGlobal && (traits[number] & GLOBAL) != 0) {
        filled[kept++] = number;
      } else {
        traits[number] = 0;
        invalidate(entryOf(number), number & (ENTRIES - 1));
      }
    }
    filledCount = kept;
    if (kept == 0) {
      Arrays.fill(largeNear, false);
      Arrays.fill(hugeNear, false);
    }
  }

  /** INVLPG: drops the page of that address, every fragment of it if it is a large one. */
  public void invalidatePage(long linear) {
    invalidatePage(linear, false);
  }

  /**
   * Drops the page of that address, every fragment of it if it is a large one.
   *
   * @param keepGlobal whether global entries stay (INVPCID type 0)
   */
  public void invalidatePage(long linear, boolean keepGlobal) {
    int index = (int) (linear >>> 12) & (ENTRIES - 1);
    for (int bank = 0; bank < FILLED_BANKS; bank++) {
      int number = bank * ENTRIES + index;
      if (pageHeld(number) == (linear & PAGE_MASK)) {
        drop(number, keepGlobal);
      }
    }
    if (largeNear[(int) (linear >>> LARGE_SHIFT) & (ENTRIES - 1)]) {
      invalidateFragments(linear, LARGE, LARGE_SHIFT, keepGlobal);
    }
    if (hugeNear[(int) (linear >>> HUGE_SHIFT) & (ENTRIES - 1)]) {
      invalidateFragments(linear, HUGE, HUGE_SHIFT, keepGlobal);
    }
  }

  // 2 MiB pages lose their neighbour within 4 MiB too: more than asked for is always allowed (SDM
  // vol. 3A, 4.10.4.1), and it is the same in every run.
  private void invalidateFragments(long linear, byte trait, int shift, boolean keepGlobal) {
    for (int i = 0; i < filledCount; i++) {
      int number = filled[i];
      if ((traits[number] & trait) != 0) {
        long page = pageHeld(number);
        if (page != 1 && (page ^ linear) >>> shift == 0) {
          drop(number, keepGlobal);
        }
      }
    }
  }

  // The entry stays listed, without a page.
  private void drop(int number, boolean keepGlobal) {
    if (!keepGlobal || (traits[number] & GLOBAL) == 0) {
      invalidate(entryOf(number), number & (ENTRIES - 1));
      traits[number] &= ~(GLOBAL | LARGE | HUGE);
    }
  }

  /** Makes data accesses to the pages look first, without dropping their translations. */
  void slowPages(LongPredicate pages) {
    for (int i = 0; i < filledCount; i++) {
      long page = pageHeld(filled[i]);
      if (page != 1 && pages.test(page)) {
        for (int tag = READ; tag <= WRITE; tag += 8) {
          Raw.compareAndSet64(entryOf(filled[i]) + tag, page, slow(page));
        }
      }
    }
  }

  @Override
  public void slowWrites(long hostPage) {
    slow(hostPage, false);
  }

  @Override
  public void slowAllWrites() {
    slow(0, true);
  }

  // All entries, not the list of filled ones: another vCPU's thread may be the caller, while the
  // owner appends to its list. The swap fails if the owner evicts the entry meanwhile, and the
  // owner asks for its grant after it has put a fast tag.
  private void slow(long hostPage, boolean all) {
    long end = base + (long) FILLED_BANKS * BANK_BYTES;
    for (long entry = base; entry < end; entry += ENTRY_BYTES) {
      long tag = Raw.getAcquire64(entry + WRITE);
      int index = (int) ((entry - base) / ENTRY_BYTES) & (ENTRIES - 1);
      if ((tag & 1) == 0
          && pageOf(tag, index) != 1
          && (all || tag + Raw.getAcquire64(entry + ADDEND) == hostPage)) {
        Raw.compareAndSet64(entry + WRITE, tag, slow(tag));
      }
    }
  }

  /** A valid entry as it is saved: what the guest can see of it. */
  private record Entry(int bank, long page, long frame, int rights, int shift) {
    private static final Entry NONE = new Entry(0, 0, 0, 0, 0);

    int number() {
      return bank * ENTRIES + ((int) (page >>> SMALL_SHIFT) & (ENTRIES - 1));
    }
  }

  /**
   * All valid entries in the order of their places. Where in the host's memory they lead, and
   * whether a tag is fast or slow, is not state: restored tags are slow.
   */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    int[] numbers = valid();
    int count = v.count("entries", numbers.length, FILLED_BANKS * ENTRIES);
    if (v.restoring()) {
      flush(false);
    }
    int before = -1;
    for (int i = 0; i < count; i++) {
      v.enter("entry", v.restoring() ? i : numbers[i]);
      Entry entry = visit(v, v.restoring() ? Entry.NONE : entryAt(numbers[i]));
      v.require(entry.number() > before, "page", entry.page, "places in ascending order");
      v.leave();
      before = entry.number();
      if (v.restoring()) {
        put(entry);
      }
    }
  }

  private Entry visit(StateVisitor v, Entry e) {
    int bank = v.within("bank", e.bank, USER, SUPERVISOR_AC);
    long page = v.int64("page", e.page);
    v.require((page & ~PAGE_MASK) == 0 && Msrs.canonical(page), "page", page, "a canonical page");
    long frame = v.int64("frame", e.frame);
    boolean ram = memory.hostAddress(frame) != GuestMemory.NO_RAM;
    v.require((frame & ~PAGE_MASK) == 0 && ram, "frame", frame, "a page of RAM");
    int rights = v.bits("rights", e.rights, CAN_READ | CAN_WRITE | CAN_EXECUTE | IS_GLOBAL);
    v.require((rights & ~IS_GLOBAL) != 0, "rights", rights, "at least one");
    int shift = v.within("shift", e.shift, SMALL_SHIFT, HUGE_SHIFT);
    boolean known = shift == SMALL_SHIFT || shift == LARGE_SHIFT || shift == HUGE_SHIFT;
    v.require(known, "shift", shift, "12, 22 or 30");
    return new Entry(bank, page, frame, rights, shift);
  }

  /** Places that hold a translation, in their order. */
  private int[] valid() {
    int[] numbers = new int[filledCount];
    int count = 0;
    for (int i = 0; i < filledCount; i++) {
      if (pageHeld(filled[i]) != 1) {
        numbers[count++] = filled[i];
      }
    }
    Arrays.sort(numbers, 0, count);
    return Arrays.copyOf(numbers, count);
  }

  private Entry entryAt(int number) {
    long entry = entryOf(number);
    long page = pageHeld(number);
    byte trait = traits[number];
    int rights = permits(entry + READ, page) ? CAN_READ : 0;
    rights |= permits(entry + WRITE, page) ? CAN_WRITE : 0;
    rights |= permits(entry + EXECUTE, page) ? CAN_EXECUTE : 0;
    rights |= (trait & GLOBAL) != 0 ? IS_GLOBAL : 0;
    int shift = (trait & HUGE) != 0 ? HUGE_SHIFT : (trait & LARGE) != 0 ? LARGE_SHIFT : SMALL_SHIFT;
    long frame = memory.physicalAddress(page + Raw.get64(entry + ADDEND));
    return new Entry(number / ENTRIES, page, frame, rights, shift);
  }

  private static boolean permits(long tag, long page) {
    long value = Raw.get64(tag);
    return value == page || value == slow(page);
  }

  private void put(Entry e) {
    long addend = memory.hostAddress(e.frame) - e.page;
    long entry = claim(e.bank, e.page, addend, (e.rights & IS_GLOBAL) != 0, e.shift);
    long tag = slow(e.page);
    if ((e.rights & CAN_READ) != 0) {
      Raw.put64(entry + READ, tag);
    }
    if ((e.rights & CAN_WRITE) != 0) {
      Raw.put64(entry + WRITE, tag);
    }
    if ((e.rights & CAN_EXECUTE) != 0) {
      Raw.put64(entry + EXECUTE, tag);
    }
  }
}
