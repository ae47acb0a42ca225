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
 * <p>Beside each bank is its side table of {@link #SIDE_ENTRIES} entries. It gets what another page
 * has driven out of its entry, at a place that depends on further bits of the address, and is
 * looked into where the entry has another page. So two pages that are in use at once and have one
 * entry do not drive each other out for ever. A page that has been driven out is on trial: its tags
 * are slow, and the first access puts it back, for what drove it out may have been used once; that
 * one stays in the side table and is found there as fast as emitted code can. A write of CR3 puts
 * all that are there on trial again. So what the TLB holds depends on which pages are accessed in
 * which order, but not on how often, which engines need not agree about.
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

  /** Entries of a side table. */
  public static final int SIDE_ENTRIES = 1024;

  public static final int SIDE_BYTES = SIDE_ENTRIES * ENTRY_BYTES;

  /**
   * {@code (linear >>> INDEX_SHIFT ^ linear >>> SIDE_SHIFT) & SIDE_MASK} is the offset in the side
   * table: pages of one entry differ in the bits that the second shift brings in.
   */
  public static final int SIDE_SHIFT = 19;

  public static final int SIDE_MASK = (SIDE_ENTRIES - 1) * ENTRY_BYTES;

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

  /** Places are numbered: those of the banks, then those of the side tables. */
  private static final int FIRST_SIDE = FILLED_BANKS * ENTRIES;

  private static final int PLACES = FIRST_SIDE + FILLED_BANKS * SIDE_ENTRIES;

  /** No page. */
  private static final long NONE = 1;

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

  /** In a side table, and not accessed since. */
  private static final byte ON_TRIAL = 16;

  private static final int SMALL_SHIFT = 12;
  private static final int LARGE_SHIFT = 22;
  private static final int HUGE_SHIFT = 30;

  // An entry's rights, as saved.
  private static final int CAN_READ = 1;
  private static final int CAN_WRITE = 1 << 1;
  private static final int CAN_EXECUTE = 1 << 2;
  private static final int IS_GLOBAL = 1 << 3;
  private static final int IS_ON_TRIAL = 1 << 4;
  private static final int ALL = CAN_READ | CAN_WRITE | CAN_EXECUTE | IS_GLOBAL | IS_ON_TRIAL;

  private final GuestMemory memory;
  private final long base;
  private final byte[] traits = new byte[PLACES];

  /** Places that may be valid, so that a flush need not visit all. */
  private final int[] filled = new int[PLACES];

  private int filledCount;

  /** Places of side tables that may hold a page that is not on trial, each once. */
  private final int[] settled = new int[FILLED_BANKS * SIDE_ENTRIES];

  private final boolean[] settledListed = new boolean[FILLED_BANKS * SIDE_ENTRIES];

  private int settledCount;

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
    base = memory.mapBeside(before + (long) BANKS * (BANK_BYTES + SIDE_BYTES)) + before;
    for (int bank = 0; bank < BANKS; bank++) {
      invalidate(bankAddress(bank), 0);
      invalidate(sideAddress(bank), 0);
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

  /** Host address of a bank's side table. */
  public long sideAddress(int bank) {
    return base + side(bank);
  }

  /** Offset of a bank's side table from bank 0. */
  public static int side(int bank) {
    return BANKS * BANK_BYTES + bank * SIDE_BYTES;
  }

  /** Offset of the entry for a linear address in a side table. */
  public static int sideEntry(long linear) {
    return (int) (linear >>> INDEX_SHIFT ^ linear >>> SIDE_SHIFT) & SIDE_MASK;
  }

  /**
   * The addend for a linear address whose page permits an access without more ado, in its entry or
   * in the side table.
   *
   * @param firstBank host address of bank 0
   * @param tag {@link #READ}, {@link #WRITE} or {@link #EXECUTE}
   * @return {@link GuestMemory#NO_RAM} if it does not
   */
  public static long addend(long firstBank, int bank, long linear, int tag) {
    long page = linear & PAGE_MASK;
    long entry = entry(firstBank + (long) bank * BANK_BYTES, linear);
    if (Raw.get64(entry + tag) != page) {
      entry = firstBank + side(bank) + sideEntry(linear);
      if (Raw.get64(entry + tag) != page) {
        return GuestMemory.NO_RAM;
      }
    }
    return Raw.get64(entry + ADDEND);
  }

  /**
   * Host address of the entry that permits an access, by a fast tag or a slow one: for an access
   * that is going to be done.
   *
   * @return 0 if there is none
   */
  long permitting(int bank, long linear, int tag) {
    long page = linear & PAGE_MASK;
    long entry = entry(bankAddress(bank), linear);
    if (permits(entry + tag, page)) {
      return entry;
    }
    int beside = sidePlace(bank, page);
    entry = entryOf(beside);
    if (!permits(entry + tag, page)) {
      return 0;
    }
    return (traits[beside] & ON_TRIAL) == 0 ? entry : putBack(bank, beside, page);
  }

  /** A page on trial has been accessed; gives its entry, where its tags are slow. */
  private long putBack(int bank, int beside, long page) {
    int number = place(bank, page);
    long from = entryOf(beside);
    long addend = Raw.get64(from + ADDEND);
    boolean read = permits(from + READ, page);
    boolean write = permits(from + WRITE, page);
    boolean execute = permits(from + EXECUTE, page);
    byte kept = (byte) (traits[beside] & ~ON_TRIAL);
    drop(beside, false);
    long held = pageHeld(number);
    if (held != NONE) {
      setAside(bank, number, held, false);
    }
    invalidate(number);
    list(number, kept);
    return put(number, page, addend, read, write, execute);
  }

  /** Slow tags of a page that is nowhere else. */
  private long put(
      int number, long page, long addend, boolean read, boolean write, boolean execute) {
    long entry = entryOf(number);
    Raw.put64(entry + ADDEND, addend);
    if (read) {
      Raw.put64(entry + READ, slow(page));
    }
    if (write) {
      Raw.putRelease64(entry + WRITE, slow(page));
    }
    if (execute) {
      Raw.put64(entry + EXECUTE, slow(page));
    }
    return entry;
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
   * Prepares an entry for a page: another page in it goes to the side table; tags of the same
   * translation stay, all others go. The caller then puts tags.
   *
   * @param bank {@link #USER} to {@link #SUPERVISOR_AC}
   * @param page linear address of the 4 KiB fragment
   * @param addend host address minus linear address
   * @param global whether the entry survives a CR3 write
   * @param shift size of the guest's page: 12, 21, 22 or 30
   * @return host address of the entry
   */
  long claim(int bank, long page, long addend, boolean global, int shift) {
    int number = place(bank, page);
    int beside = sidePlace(bank, page);
    long entry = entryOf(number);
    boolean aside = pageHeld(beside) == page;
    long held = pageHeld(number);
    if (held != NONE && held != page) {
      setAside(bank, number, held, !aside);
    }
    if (aside && pageHeld(beside) == page) {
      drop(beside, false); // it is in one place
    }
    if (held != page || Raw.get64(entry + ADDEND) != addend) {
      invalidate(number);
    }
    list(number, traits(page, global, shift));
    Raw.put64(entry + ADDEND, addend);
    return entry;
  }

  private byte traits(long page, boolean global, int shift) {
    byte now = global ? GLOBAL : 0;
    if (shift == HUGE_SHIFT) {
      now |= HUGE;
      hugeNear[(int) (page >>> HUGE_SHIFT) & (ENTRIES - 1)] = true;
    } else if (shift > SMALL_SHIFT) {
      now |= LARGE;
      largeNear[(int) (page >>> LARGE_SHIFT) & (ENTRIES - 1)] = true;
    }
    return now;
  }

  /**
   * Moves a page to the side table, what is there is evicted. Another thread may take away its
   * write tag meanwhile, where it was and not where it goes to: so it is slow there, until it has
   * its grant anew.
   */
  private void setAside(int bank, int number, long page, boolean onTrial) {
    int to = sidePlace(bank, page);
    long from = entryOf(number);
    long addend = Raw.get64(from + ADDEND);
    boolean read = Raw.get64(from + READ) == page;
    boolean write = Raw.get64(from + WRITE) == page;
    boolean execute = Raw.get64(from + EXECUTE) == page;
    boolean mayRead = permits(from + READ, page);
    boolean mayWrite = permits(from + WRITE, page);
    boolean mayExecute = permits(from + EXECUTE, page);
    invalidate(to);
    list(to, (byte) (traits[number] | (onTrial ? ON_TRIAL : 0)));
    long entry = put(to, page, addend, mayRead, mayWrite, mayExecute);
    if (onTrial) {
      return;
    }
    settle(to);
    if (read) {
      Raw.put64(entry + READ, page);
    }
    if (execute) {
      Raw.put64(entry + EXECUTE, page);
    }
    if (write) {
      hasten(entry + WRITE, page, page + addend);
    }
  }

  /** Makes a slow write tag fast, if the memory grants it. */
  void hasten(long writeTag, long page, long host) {
    Raw.putRelease64(writeTag, page);
    if (!memory.grantWrite(host)) {
      Raw.putRelease64(writeTag, slow(page));
    }
  }

  private void settle(int number) {
    if (!settledListed[number - FIRST_SIDE]) {
      settledListed[number - FIRST_SIDE] = true;
      settled[settledCount++] = number;
    }
  }

  private void list(int number, byte now) {
    if ((traits[number] & LISTED) == 0) {
      filled[filledCount++] = number;
    }
    traits[number] = (byte) (now | LISTED);
  }

  // Places ---------------------------------------------------------------------------------------

  private static int place(int bank, long page) {
    return bank * ENTRIES + ((int) (page >>> SMALL_SHIFT) & (ENTRIES - 1));
  }

  private static int sidePlace(int bank, long page) {
    return FIRST_SIDE + bank * SIDE_ENTRIES + sideEntry(page) / ENTRY_BYTES;
  }

  private static int bankOf(int number) {
    return number < FIRST_SIDE ? number / ENTRIES : (number - FIRST_SIDE) / SIDE_ENTRIES;
  }

  /** In its bank or side table. */
  private static int indexOf(int number) {
    return number < FIRST_SIDE
        ? number & (ENTRIES - 1)
        : (number - FIRST_SIDE) & (SIDE_ENTRIES - 1);
  }

  private long entryOf(int number) {
    int bank = bankOf(number);
    long table = number < FIRST_SIDE ? bankAddress(bank) : sideAddress(bank);
    return table + (long) indexOf(number) * ENTRY_BYTES;
  }

  private void invalidate(int number) {
    invalidate(entryOf(number), indexOf(number));
  }

  /** The linear page of a valid tag at a place, or {@link #NONE}. */
  private static long pageOf(long tag, int number) {
    if ((tag & 1) != 0) {
      return (tag & PAGE_MASK) ^ 0x1000;
    }
    boolean here =
        number < FIRST_SIDE
            ? ((int) (tag >>> SMALL_SHIFT) & (ENTRIES - 1)) == indexOf(number)
            : sideEntry(tag) / ENTRY_BYTES == indexOf(number);
    return here ? tag : NONE;
  }

  private long pageHeld(int number) {
    long entry = entryOf(number);
    for (int tag = READ; tag <= EXECUTE; tag += 8) {
      long page = pageOf(Raw.get64(entry + tag), number);
      if (page != NONE) {
        return page;
      }
    }
    return NONE;
  }

  // Flushes --------------------------------------------------------------------------------------

  /** Drops every entry, or every one that is not global. */
  public void flush(boolean keepGlobal) {
    int kept = 0;
    for (int i = 0; i < filledCount; i++) {
      int number = filled[i];
      if (keepGlobal && (traits[number] & GLOBAL) != 0) {
        filled[kept++] = number;
      } else {
        traits[number] = 0;
        invalidate(number);
      }
    }
    filledCount = kept;
    for (int i = 0; i < settledCount; i++) {
      settledListed[settled[i] - FIRST_SIDE] = false;
      tryAgain(settled[i]);
    }
    settledCount = 0;
    if (kept == 0) {
      Arrays.fill(largeNear, false);
      Arrays.fill(hugeNear, false);
    }
  }

  private void tryAgain(int number) {
    long page = pageHeld(number);
    if (page == NONE) {
      return;
    }
    traits[number] |= ON_TRIAL;
    long entry = entryOf(number);
    for (int tag = READ; tag <= EXECUTE; tag += 8) {
      if (Raw.get64(entry + tag) == page) {
        Raw.putRelease64(entry + tag, slow(page)); // as another thread would
      }
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
    long page = linear & PAGE_MASK;
    for (int bank = 0; bank < FILLED_BANKS; bank++) {
      int number = place(bank, page);
      if (pageHeld(number) == page) {
        drop(number, keepGlobal);
      }
      int beside = sidePlace(bank, page);
      if (pageHeld(beside) == page) {
        drop(beside, keepGlobal);
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
        if (page != NONE && (page ^ linear) >>> shift == 0) {
          drop(number, keepGlobal);
        }
      }
    }
  }

  // The entry stays listed, without a page.
  private void drop(int number, boolean keepGlobal) {
    if (!keepGlobal || (traits[number] & GLOBAL) == 0) {
      invalidate(number);
      traits[number] &= LISTED;
    }
  }

  /** Makes data accesses to the pages look first, without dropping their translations. */
  void slowPages(LongPredicate pages) {
    for (int i = 0; i < filledCount; i++) {
      long page = pageHeld(filled[i]);
      if (page != NONE && pages.test(page)) {
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
    slow(0, ENTRIES * FILLED_BANKS, base, hostPage, all);
    slow(FIRST_SIDE, PLACES, sideAddress(0), hostPage, all);
  }

  private void slow(int from, int to, long first, long hostPage, boolean all) {
    long entry = first;
    for (int number = from; number < to; number++, entry += ENTRY_BYTES) {
      long tag = Raw.getAcquire64(entry + WRITE);
      if ((tag & 1) == 0
          && (all || tag + Raw.getAcquire64(entry + ADDEND) == hostPage)
          && pageOf(tag, number) != NONE) {
        Raw.compareAndSet64(entry + WRITE, tag, slow(tag));
      }
    }
  }

  /** A valid entry as it is saved: what the guest can see of it. */
  private record Entry(boolean aside, int bank, long page, long frame, int rights, int shift) {
    private static final Entry BLANK = new Entry(false, 0, 0, 0, 0, 0);

    int number() {
      return aside ? sidePlace(bank, page) : place(bank, page);
    }
  }

  /**
   * All valid entries in the order of their places. Where in the host's memory they lead, and
   * whether a tag is fast or slow, is not state: restored tags are slow.
   */
  @Override
  public void state(StateVisitor v) {
    boolean sides = v.version(2) > 1;
    int[] numbers = valid();
    int count = v.count("entries", numbers.length, PLACES);
    if (v.restoring()) {
      flush(false);
    }
    int before = -1;
    for (int i = 0; i < count; i++) {
      v.enter("entry", v.restoring() ? i : numbers[i]);
      Entry entry = visit(v, sides, v.restoring() ? Entry.BLANK : entryAt(numbers[i]));
      v.require(entry.number() > before, "page", entry.page, "places in ascending order");
      v.leave();
      before = entry.number();
      if (v.restoring()) {
        put(entry);
      }
    }
  }

  private Entry visit(StateVisitor v, boolean sides, Entry e) {
    boolean aside = sides && v.bool("aside", e.aside);
    int bank = v.within("bank", e.bank, USER, SUPERVISOR_AC);
    long page = v.int64("page", e.page);
    v.require((page & ~PAGE_MASK) == 0 && Msrs.canonical(page), "page", page, "a canonical page");
    long frame = v.int64("frame", e.frame);
    boolean ram = memory.hostAddress(frame) != GuestMemory.NO_RAM;
    v.require((frame & ~PAGE_MASK) == 0 && ram, "frame", frame, "a page of RAM");
    int rights = v.bits("rights", e.rights, sides ? ALL : ALL & ~IS_ON_TRIAL);
    int accesses = rights & (CAN_READ | CAN_WRITE | CAN_EXECUTE);
    v.require(accesses != 0, "rights", rights, "at least one");
    v.require(aside || (rights & IS_ON_TRIAL) == 0, "rights", rights, "on trial only if aside");
    int shift = v.within("shift", e.shift, SMALL_SHIFT, HUGE_SHIFT);
    boolean known = shift == SMALL_SHIFT || shift == LARGE_SHIFT || shift == HUGE_SHIFT;
    v.require(known, "shift", shift, "12, 22 or 30");
    return new Entry(aside, bank, page, frame, rights, shift);
  }

  /** Places that hold a translation, in their order. */
  private int[] valid() {
    int[] numbers = new int[filledCount];
    int count = 0;
    for (int i = 0; i < filledCount; i++) {
      if (pageHeld(filled[i]) != NONE) {
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
    rights |= (trait & ON_TRIAL) != 0 ? IS_ON_TRIAL : 0;
    int shift = (trait & HUGE) != 0 ? HUGE_SHIFT : (trait & LARGE) != 0 ? LARGE_SHIFT : SMALL_SHIFT;
    long frame = memory.physicalAddress(page + Raw.get64(entry + ADDEND));
    return new Entry(number >= FIRST_SIDE, bankOf(number), page, frame, rights, shift);
  }

  private static boolean permits(long tag, long page) {
    long value = Raw.get64(tag);
    return value == page || value == slow(page);
  }

  private void put(Entry e) {
    int number = e.number();
    invalidate(number);
    byte now = traits(e.page, (e.rights & IS_GLOBAL) != 0, e.shift);
    boolean onTrial = (e.rights & IS_ON_TRIAL) != 0;
    list(number, (byte) (now | (onTrial ? ON_TRIAL : 0)));
    if (e.aside && !onTrial) {
      settle(number);
    }
    put(
        number,
        e.page,
        memory.hostAddress(e.frame) - e.page,
        (e.rights & CAN_READ) != 0,
        (e.rights & CAN_WRITE) != 0,
        (e.rights & CAN_EXECUTE) != 0);
  }
}
