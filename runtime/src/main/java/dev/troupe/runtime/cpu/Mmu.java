package dev.troupe.runtime.cpu;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * A vCPU's way to memory: linear addresses in, with the current privilege's rights, faults out
 * (Intel SDM vol. 3A, chapters 4 and 5). A hit in the TLB is one compare, which covers page
 * crossing and every reason to look closer; all else is in {@link MmuSlow}.
 *
 * <p>All loads are zero-extended. An aligned access is one access; each load is followed by an
 * acquire fence, each store preceded by a release fence (DESIGN.md, law on memory order). A method
 * that throws has written nothing. Linear addresses are those that segmentation gave: 32 bits,
 * zero-extended, outside 64-bit mode.
 */
public final class Mmu implements Stateful {
  /** A part of physical memory that the vCPU answers itself: its local APIC. */
  public interface LocalDevice {
    /** Reads {@code size} bytes (1, 2, 4 or 8) at {@code offset} (0 to 4095) of the page. */
    long read(int offset, int size);

    /** Writes {@code size} bytes; may queue exits ({@link Cpu#queueExit}). */
    void write(int offset, int size, long value);
  }

  /** Data breakpoints. */
  public interface Watch {
    /** Whether a byte of this 4 KiB page is watched. */
    boolean covers(long linearPage);

    /** Told after the access was permitted, before a store is done; remembers what it hits. */
    void accessed(long linear, int size, boolean write);
  }

  /** Bytes just before the TLB that are the engine's: a translator's state, at fixed offsets. */
  public static final int ENGINE_BYTES = 1 << 20;

  private final Cpu cpu;
  private final GuestMemory memory;
  private final Tlb tlb;
  private final PageWalk walk;
  private final MmuSlow slow;

  /** Host address of the TLB bank that explicit accesses use now. */
  private long bank;

  /** Host address of its side table. */
  private long side;

  /** No address of a page, canonical or not. */
  private static final long NO_PAGE = 1;

  /**
   * The linear page that code runs in, and its host page: what was fetched from last. It stays good
   * while the TLB evicts its entry, as the bytes in a processor's pipeline do, until code leaves
   * the page or the guest invalidates something. So what the TLB holds does not depend on how an
   * engine cuts code into blocks.
   */
  private long codePage = NO_PAGE;

  private long codeHost;

  Mmu(Cpu cpu, GuestMemory memory) {
    this.cpu = cpu;
    this.memory = memory;
    tlb = new Tlb(memory, ENGINE_BYTES);
    walk = new PageWalk(cpu, memory);
    slow = new MmuSlow(cpu, memory, tlb, walk);
  }

  /** Reads 8 bits, zero-extended. */
  public long load8(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 1) <= 0) {
      long value = Raw.get8(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.load(linear, 1);
  }

  /** Reads 8 bits that are going to be written: faults as a write does. */
  public long loadRmw8(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 1) <= 0) {
      long value = Raw.get8(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.loadRmw(linear, 1);
  }

  /** Writes the low 8 bits of {@code value}. */
  public void store8(long linear, long value) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 1) <= 0) {
      Raw.releaseFence();
      Raw.put8(linear + Raw.get64(entry + Tlb.ADDEND), (byte) value);
    } else {
      slow.store(linear, 1, value);
    }
  }

  /** Reads 16 bits, zero-extended. */
  public long load16(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 2) <= 0) {
      long value = Raw.get16(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.load(linear, 2);
  }

  /** Reads 16 bits that are going to be written: faults as a write does. */
  public long loadRmw16(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 2) <= 0) {
      long value = Raw.get16(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.loadRmw(linear, 2);
  }

  /** Writes the low 16 bits of {@code value}. */
  public void store16(long linear, long value) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 2) <= 0) {
      Raw.releaseFence();
      Raw.put16(linear + Raw.get64(entry + Tlb.ADDEND), (short) value);
    } else {
      slow.store(linear, 2, value);
    }
  }

  /** Reads 32 bits, zero-extended. */
  public long load32(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 4) <= 0) {
      long value = Raw.get32(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFFF_FFFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.load(linear, 4);
  }

  /** Reads 32 bits that are going to be written: faults as a write does. */
  public long loadRmw32(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 4) <= 0) {
      long value = Raw.get32(linear + Raw.get64(entry + Tlb.ADDEND)) & 0xFFFF_FFFFL;
      Raw.acquireFence();
      return value;
    }
    return slow.loadRmw(linear, 4);
  }

  /** Writes the low 32 bits of {@code value}. */
  public void store32(long linear, long value) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 4) <= 0) {
      Raw.releaseFence();
      Raw.put32(linear + Raw.get64(entry + Tlb.ADDEND), (int) value);
    } else {
      slow.store(linear, 4, value);
    }
  }

  /** Reads 64 bits, zero-extended. */
  public long load64(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 8) <= 0) {
      long value = Raw.get64(linear + Raw.get64(entry + Tlb.ADDEND));
      Raw.acquireFence();
      return value;
    }
    return slow.load(linear, 8);
  }

  /** Reads 64 bits that are going to be written: faults as a write does. */
  public long loadRmw64(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 8) <= 0) {
      long value = Raw.get64(linear + Raw.get64(entry + Tlb.ADDEND));
      Raw.acquireFence();
      return value;
    }
    return slow.loadRmw(linear, 8);
  }

  /** Writes 64 bits. */
  public void store64(long linear, long value) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 8) <= 0) {
      Raw.releaseFence();
      Raw.put64(linear + Raw.get64(entry + Tlb.ADDEND), value);
    } else {
      slow.store(linear, 8, value);
    }
  }

  // Two registers' worth -------------------------------------------------------------------------

  /** Reads 128 bits into {@code target[index]} (low) and {@code target[index + 1]}. */
  public void load128(long linear, long[] target, int index) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 16) <= 0) {
      long host = linear + Raw.get64(entry + Tlb.ADDEND);
      target[index] = Raw.get64(host);
      target[index + 1] = Raw.get64(host + 8);
      Raw.acquireFence();
    } else {
      slow.load128(linear, target, index);
    }
  }

  /** Writes 128 bits. */
  public void store128(long linear, long low, long high) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (Long.compareUnsigned(linear ^ tag, Tlb.PAGE - 16) <= 0) {
      Raw.releaseFence();
      long host = linear + Raw.get64(entry + Tlb.ADDEND);
      Raw.put64(host, low);
      Raw.put64(host + 8, high);
    } else {
      slow.store128(linear, low, high);
    }
  }

  // LOCK -----------------------------------------------------------------------------------------

  /**
   * Atomically replaces {@code size} bytes if they are {@code expected}: the hardware's
   * compare-and-swap, after a {@code loadRmw} of the same address by the same instruction, which
   * has written nothing yet.
   *
   * @param size 1, 2, 4 or 8
   * @return false if memory holds something else; nothing is written then
   */
  public boolean compareAndSet(long linear, int size, long expected, long value) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    long tag = Raw.get64(entry + Tlb.WRITE);
    if (size >= 4 && (linear & (size - 1)) == 0 && (linear ^ tag) >>> 12 == 0) {
      long host = linear + Raw.get64(entry + Tlb.ADDEND);
      return size == 8
          ? Raw.compareAndSet64(host, expected, value)
          : Raw.compareAndSet32(host, (int) expected, (int) value);
    }
    return slow.compareAndSet(linear, size, expected, value);
  }

  /**
   * Host address of {@code size} bytes within a page, for an atomic update by other means:
   * permission has been checked as for a write, and the page counts as written. The caller says
   * {@link GuestMemory#written} after it.
   *
   * @return {@link GuestMemory#NO_RAM} if there is no RAM
   */
  public long updatableHost(long linear, int size) {
    return slow.updatableHost(linear, size);
  }

  // Implicit supervisor accesses: descriptor tables, TSS
  // -------------------------------------------

  /** Reads 8 bits with supervisor rights, whatever CPL and EFLAGS.AC are. */
  public long loadSystem8(long linear) {
    return slow.loadSystem(linear, 1);
  }

  /** Reads 16 bits with supervisor rights. */
  public long loadSystem16(long linear) {
    return slow.loadSystem(linear, 2);
  }

  /** Reads 32 bits with supervisor rights. */
  public long loadSystem32(long linear) {
    return slow.loadSystem(linear, 4);
  }

  /** Reads 64 bits with supervisor rights. */
  public long loadSystem64(long linear) {
    return slow.loadSystem(linear, 8);
  }

  /** Writes 16 bits with supervisor rights. */
  public void storeSystem16(long linear, long value) {
    slow.storeSystem(linear, 2, value);
  }

  /** Writes 32 bits with supervisor rights. */
  public void storeSystem32(long linear, long value) {
    slow.storeSystem(linear, 4, value);
  }

  /** Writes 64 bits with supervisor rights. */
  public void storeSystem64(long linear, long value) {
    slow.storeSystem(linear, 8, value);
  }

  /** Sets bits of a byte atomically, with supervisor rights: a descriptor's accessed bit. */
  public void orSystem8(long linear, int bits) {
    slow.orSystem8(linear, bits);
  }

  // Probes, fetch, bulk
  // ----------------------------------------------------------------------------

  /**
   * Faults as a write of {@code size} (at least 1) bytes at {@code linear} would; writes nothing.
   */
  public void probeWrite(long linear, int size) {
    slow.probe(linear, size, PageWalk.WRITE);
  }

  /** Faults if an address is not canonical, in 64-bit mode. */
  public void checkReachable(long linear) {
    slow.checkReachable(linear);
  }

  /**
   * #AC(0) where alignment is checked and {@code linear} is not aligned: for what is accessed in
   * parts.
   *
   * @param alignment bytes, a power of 2
   */
  public void checkAlignment(long linear, int alignment) {
    slow.checkAlignment(linear, alignment);
  }

  /** Faults as a read of {@code size} (at least 1) bytes at {@code linear} would. */
  public void probeRead(long linear, int size) {
    slow.probe(linear, size, PageWalk.READ);
  }

  /**
   * Probes a write with the rights of another privilege level: the stack of a handler.
   *
   * @param supervisor true for CPL 0 to 2
   */
  public void probeWriteAs(boolean supervisor, long linear, int size) {
    slow.probeAs(supervisor, linear, size);
  }

  /**
   * Reads a byte of code beside the page that code runs in, with execute rights; sets the accessed
   * bits as execution does.
   */
  public int fetch8(long linear) {
    long host = fetchBeside(linear);
    if (host == GuestMemory.NO_RAM) {
      return slow.fetchMmio(linear);
    }
    return Raw.get8(host) & 0xFF;
  }

  /**
   * Host address of the code at {@code linear}, for the engine to look its block up at; faults as
   * its execution would. Valid to the end of the page; {@link GuestMemory#physicalAddress} turns it
   * back. Code runs in that page from now on.
   *
   * @return {@link GuestMemory#NO_RAM} if there is no RAM: {@link #fetch8} byte by byte then
   */
  public long fetchHost(long linear) {
    long page = linear & -Tlb.PAGE;
    if (page == codePage) {
      return codeHost | (linear & Tlb.PAGE - 1);
    }
    codePage = NO_PAGE;
    long host = fetchBeside(linear);
    if (host != GuestMemory.NO_RAM) {
      codePage = page;
      codeHost = host & -Tlb.PAGE;
    }
    return host;
  }

  /**
   * Code has got to a page by an engine's own look-up in the execute TLB, as {@link #fetchHost}
   * would have.
   *
   * @param linear any address of the page
   * @param host host address of the same byte
   */
  public void runsIn(long linear, long host) {
    codePage = linear & -Tlb.PAGE;
    codeHost = host & -Tlb.PAGE;
  }

  /** {@link #fetchHost} of the second page of an instruction: code does not run in it yet. */
  public long fetchBeside(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    if (Long.compareUnsigned(linear ^ Raw.get64(entry + Tlb.EXECUTE), Tlb.PAGE - 1) <= 0) {
      return linear + Raw.get64(entry + Tlb.ADDEND);
    }
    return slow.fetchHost(linear);
  }

  /**
   * Host address for reading up to the end of the page without more checks, or {@link
   * GuestMemory#NO_RAM} if this page has to be read by single loads (not yet translated, no RAM,
   * watched): for string instructions and block copies. Never faults. The caller fences.
   */
  public long readableHost(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    if (Long.compareUnsigned(linear ^ Raw.get64(entry), Tlb.PAGE - 1) <= 0) {
      return linear + Raw.get64(entry + Tlb.ADDEND);
    }
    return beside(linear, Tlb.READ);
  }

  private long beside(long linear, int tag) {
    long entry = side + Tlb.sideEntry(linear);
    return Raw.get64(entry + tag) == (linear & -Tlb.PAGE)
        ? linear + Raw.get64(entry + Tlb.ADDEND)
        : GuestMemory.NO_RAM;
  }

  /** {@link #readableHost} for writing: no code, already dirty, not watched. */
  public long writableHost(long linear) {
    long entry = bank + ((linear >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    if (Long.compareUnsigned(linear ^ Raw.get64(entry + Tlb.WRITE), Tlb.PAGE - 1) <= 0) {
      return linear + Raw.get64(entry + Tlb.ADDEND);
    }
    return beside(linear, Tlb.WRITE);
  }

  // Control
  // ----------------------------------------------------------------------------------------

  /**
   * Chooses the bank and the width of linear addresses after a change of the mode word; called by
   * {@link Cpu#updateMode()}. Drops no translation.
   */
  void modeChanged() {
    boolean access = (cpu.systemFlags & Rflags.AC) != 0;
    int own;
    if (cpu.cpl == 3) {
      own = Tlb.USER;
    } else {
      own = access && (cpu.cr4 & ControlRegisters.SMAP) != 0 ? Tlb.SUPERVISOR_AC : Tlb.SUPERVISOR;
    }
    boolean aligned = own == Tlb.USER && access && (cpu.cr0 & ControlRegisters.AM) != 0;
    long before = bank;
    bank = tlb.bankAddress(aligned ? Tlb.CHECKED : own);
    side = tlb.sideAddress(aligned ? Tlb.CHECKED : own);
    if (bank != before) {
      codePage = NO_PAGE; // other rights
    }
    slow.mode(own, aligned, (cpu.mode & Mode.CODE_64) != 0);
  }

  /**
   * Drops all translations, global ones too: CR0.PG, WP, CR4.PGE, PAE, PSE, SMEP, SMAP, EFER.NXE.
   */
  public void flushAll() {
    codePage = NO_PAGE;
    tlb.flush(false);
  }

  /** Drops all translations but global ones: MOV to CR3. */
  public void flushNonGlobal() {
    codePage = NO_PAGE;
    tlb.flush(true);
  }

  /** INVLPG. */
  public void invalidatePage(long linear) {
    codePage = NO_PAGE;
    tlb.invalidatePage(linear);
  }

  /** INVPCID type 0 for the current PCID: as {@link #invalidatePage}, but global ones stay. */
  public void invalidateNonGlobalPage(long linear) {
    codePage = NO_PAGE;
    tlb.invalidatePage(linear, true);
  }

  /** Whether translations are those of PAE paging outside long mode: CR3 loads PDPTEs then. */
  public boolean paePaging() {
    return (cpu.cr0 & ControlRegisters.PG) != 0
        && (cpu.cr4 & ControlRegisters.PAE) != 0
        && (cpu.efer & Msrs.EFER_LMA) == 0;
  }

  /**
   * Loads the four PDPTE registers from the table at {@code cr3} (section 4.4.1).
   *
   * @return false if one has reserved bits set: #GP(0), nothing loaded
   */
  public boolean loadPdptes(long cr3) {
    return walk.loadPdptes(cr3);
  }

  /** What CPUID says: physical address width, 32 to 52, and whether there are 1 GiB pages. */
  public void setCapabilities(int physicalBits, boolean gigabytePages) {
    if (physicalBits < 32 || physicalBits > 52) {
      throw new IllegalArgumentException("physical address width: " + physicalBits);
    }
    walk.physicalBits = physicalBits;
    walk.gigabytePages = gigabytePages;
  }

  /**
   * Puts a page that this vCPU answers itself over whatever is at that physical address.
   *
   * @param physicalPage a multiple of 4096, or -1 for nowhere
   */
  public void mapLocal(long physicalPage, LocalDevice device) {
    codePage = NO_PAGE;
    slow.mapLocal(physicalPage, device);
    tlb.flush(false);
  }

  /** Data breakpoints changed; null for none. Nothing is evicted: watched pages become slow. */
  public void setWatch(Watch watch) {
    slow.setWatch(watch);
  }

  /** What somebody outside the guest watches, beside the guest's own; null for none. */
  void setOuterWatch(Watch watch) {
    slow.setOuterWatch(watch);
  }

  /**
   * The host address behind a linear address, as the page tables are now, for somebody who looks on
   * from outside: nothing is checked but that the page is there, and nothing changes.
   *
   * @return {@link GuestMemory#NO_RAM} if nothing is mapped there, or it is no RAM
   */
  public long peek(long linear) {
    return slow.peek(linear);
  }

  /** What follows from control registers, debug registers and the APIC is set by them. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    walk.state(v);
    v.part("tlb", tlb);
    boolean inPage = v.bool("inCodePage", codePage != NO_PAGE);
    long page = Msrs.canonical(v, "codePage", inPage && !v.restoring() ? codePage : 0);
    long frame =
        v.int64("codeFrame", inPage && !v.restoring() ? memory.physicalAddress(codeHost) : 0);
    long host = memory.hostAddress(frame);
    v.require((page & Tlb.PAGE - 1) == 0, "codePage", page, "a page");
    v.require(
        (frame & Tlb.PAGE - 1) == 0 && (!inPage || host != GuestMemory.NO_RAM),
        "codeFrame",
        frame,
        "a page of RAM");
    if (v.restoring()) {
      codePage = inPage ? page : NO_PAGE;
      codeHost = host;
    }
  }

  /** The TLB, for engines that look it up themselves and for snapshots. */
  public Tlb tlb() {
    return tlb;
  }

  /** Host address of the TLB bank in use. */
  public long bank() {
    return bank;
  }

  /** The memory behind it. */
  public GuestMemory memory() {
    return memory;
  }
}
