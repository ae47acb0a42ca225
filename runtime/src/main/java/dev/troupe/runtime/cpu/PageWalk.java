package dev.troupe.runtime.cpu;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * Translates linear addresses by the guest's page tables (Intel SDM vol. 3A, chapter 4): no paging,
 * 32-bit paging with 4 MiB pages and PSE-36, PAE, and 4-level paging with 2 MiB and 1 GiB pages.
 * One object a vCPU; the result of the last walk is in its fields.
 *
 * <p>Accessed and dirty bits are set by compare-and-swap on the entries that were read, when the
 * access is known to be permitted; if one of them has changed meanwhile, the walk starts again.
 */
final class PageWalk {
  // Entry bits, section 4.3 to 4.5.
  private static final long PRESENT = 1;
  private static final long WRITABLE = 1 << 1;
  private static final long USER = 1 << 2;
  private static final long ACCESSED = 1 << 5;
  private static final long DIRTY = 1 << 6;
  private static final long LARGE = 1 << 7;
  private static final long GLOBAL = 1 << 8;
  private static final long NO_EXECUTE = 1L << 63;

  /** Bits 51 to 12 of an entry. */
  private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

  /** Error code bits, section 4.7. */
  static final int ERROR_PRESENT = 1;

  static final int ERROR_WRITE = 2;
  static final int ERROR_USER = 4;
  static final int ERROR_RESERVED = 8;
  static final int ERROR_FETCH = 16;

  /** Accesses, as in the error code. */
  static final int READ = 0;

  static final int WRITE = ERROR_WRITE;
  static final int FETCH = ERROR_FETCH;

  private static final int MAXIMUM_LEVELS = 4;

  /** No frame. */
  static final long NOT_PRESENT = -1;

  private final Cpu cpu;
  private final GuestMemory memory;
  private final long[] entryHost = new long[MAXIMUM_LEVELS];
  private final long[] entryValue = new long[MAXIMUM_LEVELS];

  /** PDPTE registers of PAE paging, section 4.4.1. */
  final long[] pdpte = new long[4];

  /** Physical address width, 32 to 52: address bits from here up to 51 are reserved. */
  int physicalBits = 40;

  /** Whether CPUID offers 1 GiB pages. */
  boolean gigabytePages = true;

  /** Result: physical address of the 4 KiB fragment. */
  long physical;

  /** Result: log2 of the page size, 12, 21, 22 or 30. */
  int shift;

  /** Result: what the access was allowed with; rights of all levels together. */
  boolean writable;

  /** Result: whether the leaf's dirty bit is set, now. */
  boolean dirty;

  boolean user;
  boolean executable;
  boolean global;

  private int error;

  PageWalk(Cpu cpu, GuestMemory memory) {
    this.cpu = cpu;
    this.memory = memory;
  }

  /**
   * Loads the PDPTE registers from the table that CR3 names, as MOV to CR3, and to CR0 and CR4
   * where it says so, do.
   *
   * @return false if a present one has reserved bits set: #GP(0), registers unchanged
   */
  boolean loadPdptes(long cr3) {
    long table = cr3 & 0xFFFF_FFE0L;
    long[] loaded = new long[4];
    for (int i = 0; i < 4; i++) {
      long host = memory.hostAddress(table + 8L * i);
      loaded[i] = host == GuestMemory.NO_RAM ? 0 : Raw.get64(host);
      if (!isPdpte(loaded[i])) {
        return false;
      }
    }
    System.arraycopy(loaded, 0, pdpte, 0, 4);
    return true;
  }

  /** Bits 2:1, 8:5 and from MAXPHYADDR up are reserved in a present one. */
  private boolean isPdpte(long entry) {
    return (entry & PRESENT) == 0 || (entry & (0x1E6 | -1L << physicalBits)) == 0;
  }

  /** The PDPTE registers as a field of the MMU. */
  void state(StateVisitor v) {
    v.longs("pdpte", pdpte);
    for (long entry : pdpte) {
      v.require(isPdpte(entry), "pdpte", entry, "reserved bits 0 if present");
    }
  }

  /**
   * Translates for an access and sets accessed and dirty bits, or throws the page fault.
   *
   * @param linear canonical; only bits 31 to 0 count outside 64-bit mode
   * @param access {@link #READ}, {@link #WRITE} or {@link #FETCH}
   * @param userAccess whether it is made with CPL 3 and not implicitly supervisor
   * @param smap whether data of user pages is out of bounds to this supervisor access, if CR4.SMAP
   *     is set
   */
  void translate(long linear, int access, boolean userAccess, boolean smap) {
    if (!tryTranslate(linear, access, userAccess, smap)) {
      throw cpu.pageFault(linear, error);
    }
  }

  private boolean tryTranslate(long linear, int access, boolean userAccess, boolean smap) {
    if ((cpu.cr0 & ControlRegisters.PG) == 0) {
      physical = linear & 0xFFFF_F000L;
      shift = 12;
      writable = true;
      user = true;
      executable = true;
      dirty = true;
      global = false;
      return true;
    }
    while (true) {
      int levels = walk(linear);
      if (levels <= 0) {
        error = (levels < 0 ? ERROR_PRESENT | ERROR_RESERVED : 0) | code(access, userAccess);
        return false;
      }
      if (!permitted(access, userAccess, smap)) {
        error = ERROR_PRESENT | code(access, userAccess);
        return false;
      }
      if (mark(levels, access == WRITE)) {
        return true;
      }
    }
  }

  /** Number of entries used; 0 not present, -1 reserved bit set. */
  private int walk(long linear) {
    if ((cpu.cr4 & ControlRegisters.PAE) == 0) {
      return walk32(linear);
    }
    if ((cpu.efer & Msrs.EFER_LMA) == 0) {
      return walkPae(linear);
    }
    return walk64(cpu.cr3 & ADDRESS, linear, 4);
  }

  /**
   * The frame of 4 KiB that a linear address is mapped to, whoever may access it; sets no accessed
   * bit.
   *
   * @return {@link #NOT_PRESENT} if none
   */
  long peek(long linear) {
    if ((cpu.cr0 & ControlRegisters.PG) == 0) {
      return linear & 0xFFFF_F000L;
    }
    return walk(linear) > 0 ? physical : NOT_PRESENT;
  }

  private int code(int access, boolean userAccess) {
    int code = access == WRITE ? ERROR_WRITE : 0;
    // I/D is reported only where it can be the reason: SMEP, or NX with PAE (section 4.7).
    boolean executeRights =
        (cpu.cr4 & ControlRegisters.SMEP) != 0
            || ((cpu.cr4 & ControlRegisters.PAE) != 0 && (cpu.efer & Msrs.EFER_NXE) != 0);
    if (access == FETCH && executeRights) {
      code |= ERROR_FETCH;
    }
    return userAccess ? code | ERROR_USER : code;
  }

  // Section 4.6.
  boolean permitted(int access, boolean userAccess, boolean smap) {
    if (userAccess) {
      return user && (access != WRITE || writable) && (access != FETCH || executable);
    }
    if (access == FETCH) {
      return executable && (!user || (cpu.cr4 & ControlRegisters.SMEP) == 0);
    }
    if (user && smap && (cpu.cr4 & ControlRegisters.SMAP) != 0) {
      return false;
    }
    return access == READ || writable || (cpu.cr0 & ControlRegisters.WP) == 0;
  }

  // Sets A everywhere and D in the leaf. False if an entry is no longer what was read.
  private boolean mark(int levels, boolean write) {
    for (int i = 0; i < levels; i++) {
      boolean leaf = i == levels - 1;
      long bits = leaf && write ? ACCESSED | DIRTY : ACCESSED;
      long value = entryValue[i];
      if ((value & bits) != bits) {
        long host = entryHost[i];
        memory.markDirty(host);
        boolean wide = (cpu.cr4 & ControlRegisters.PAE) != 0;
        boolean swapped =
            wide
                ? Raw.compareAndSet64(host, value, value | bits)
                : Raw.compareAndSet32(host, (int) value, (int) (value | bits));
        if (!swapped) {
          return false;
        }
        memory.written(host, wide ? 8 : 4);
      }
      if (leaf) {
        dirty = write || (value & DIRTY) != 0;
      }
    }
    return true;
  }

  // 32-bit paging, section 4.3. Number of entries used; 0 not present, -1 reserved bit set.
  private int walk32(long linear) {
    if (!read(0, (cpu.cr3 & 0xFFFF_F000L) + ((linear >>> 22 & 0x3FF) << 2), 4)) {
      return 0;
    }
    long pde = entryValue[0];
    if ((pde & PRESENT) == 0) {
      return 0;
    }
    if ((pde & LARGE) != 0 && (cpu.cr4 & ControlRegisters.PSE) != 0) {
      // PSE-36: bits 20 to 13 are address bits 39 to 32, as far as MAXPHYADDR goes; 21 is reserved.
      int width = Math.min(physicalBits, 40);
      long reserved = (1L << 21) | ((1L << 21) - (1L << (width - 32 + 13)));
      if ((pde & reserved) != 0) {
        return -1;
      }
      long frame = (pde & 0xFFC0_0000L) | (pde >>> 13 & 0xFF) << 32;
      leaf(frame, linear, 22, pde, pde);
      executable = true;
      return 1;
    }
    if (!read(1, (pde & 0xFFFF_F000L) + ((linear >>> 12 & 0x3FF) << 2), 4)) {
      return 0;
    }
    long pte = entryValue[1];
    if ((pte & PRESENT) == 0) {
      return 0;
    }
    leaf(pte & 0xFFFF_F000L, linear, 12, pde & pte, pte);
    executable = true;
    return 2;
  }

  // PAE paging, section 4.4: the first level is in registers and has no rights.
  private int walkPae(long linear) {
    long entry = pdpte[(int) (linear >>> 30) & 3];
    if ((entry & PRESENT) == 0) {
      return 0;
    }
    return walk64(entry & ADDRESS, linear, 2);
  }

  // 4-level paging, section 4.5, or the two lower levels of PAE.
  private int walk64(long root, long linear, int levels) {
    long table = root;
    boolean pae = levels == 2;
    // Bits 62 to 52 are free in 4-level paging and reserved in PAE.
    long reserved = ADDRESS & (-1L << physicalBits);
    if (pae) {
      reserved |= 0x7FF0_0000_0000_0000L;
    }
    if ((cpu.efer & Msrs.EFER_NXE) == 0) {
      reserved |= NO_EXECUTE;
    }
    long rights = WRITABLE | USER;
    long noExecute = 0;
    for (int level = levels; ; level--) {
      int used = levels - level;
      int bits = 12 + 9 * (level - 1);
      if (!read(used, table + ((linear >>> bits & 0x1FF) << 3), 8)) {
        return 0;
      }
      long entry = entryValue[used];
      if ((entry & PRESENT) == 0) {
        return 0;
      }
      long forbidden = reserved;
      boolean last = level == 1;
      if (!last && (entry & LARGE) != 0) {
        if (level == 2 || (level == 3 && gigabytePages)) {
          last = true;
          forbidden |= (1L << bits) - (1 << 13); // below the frame, but PAT in bit 12
        } else {
          forbidden |= LARGE;
        }
      }
      if ((entry & forbidden) != 0) {
        return -1;
      }
      rights &= entry;
      noExecute |= entry & NO_EXECUTE;
      if (last) {
        leaf(entry & ADDRESS & -(1L << bits), linear, bits, rights, entry);
        executable = noExecute == 0;
        return used + 1;
      }
      table = entry & ADDRESS;
    }
  }

  private void leaf(long frame, long linear, int pageShift, long rights, long entry) {
    physical = frame | (linear & ((1L << pageShift) - 1) & -4096L);
    shift = pageShift;
    writable = (rights & WRITABLE) != 0;
    user = (rights & USER) != 0;
    global = (entry & GLOBAL) != 0 && (cpu.cr4 & ControlRegisters.PGE) != 0;
  }

  // Tables outside RAM read as not present.
  private boolean read(int number, long address, int size) {
    long host = memory.hostAddress(address);
    if (host == GuestMemory.NO_RAM) {
      return false;
    }
    entryHost[number] = host;
    entryValue[number] =
        size == 4 ? Integer.toUnsignedLong(Raw.getAcquire32(host)) : Raw.getAcquire64(host);
    return true;
  }
}
