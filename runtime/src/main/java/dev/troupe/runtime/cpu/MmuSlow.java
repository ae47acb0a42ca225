package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;

/**
 * What the TLB's one compare does not decide: walks and fills, page crossing, canonical and
 * alignment checks, watched, code and clean pages, memory-mapped I/O.
 */
final class MmuSlow {
  private static final long PAGE_MASK = -4096L;
  private static final int PAGE_OFFSET = 4095;
  private static final int WORD = 8;

  private final Cpu cpu;
  private final GuestMemory memory;
  private final Tlb tlb;
  private final PageWalk walk;

  private int bank;
  private boolean checkAlignment;
  private boolean code64;
  private long localPage = -1;
  private Mmu.LocalDevice local;
  private Mmu.Watch watch;
  private Mmu.Watch outerWatch;

  /** Physical address of the last {@link #resolve} that found no RAM. */
  private long physical;

  MmuSlow(Cpu cpu, GuestMemory memory, Tlb tlb, PageWalk walk) {
    this.cpu = cpu;
    this.memory = memory;
    this.tlb = tlb;
    this.walk = walk;
  }

  void mode(int bank, boolean checkAlignment, boolean code64) {
    this.bank = bank;
    this.checkAlignment = checkAlignment;
    this.code64 = code64;
  }

  void mapLocal(long page, Mmu.LocalDevice device) {
    localPage = page;
    local = device;
  }

  void setWatch(Mmu.Watch watch) {
    this.watch = watch;
    if (watch != null) {
      tlb.slowPages(watch::covers);
    }
  }

  void setOuterWatch(Mmu.Watch watch) {
    outerWatch = watch;
    if (watch != null) {
      tlb.slowPages(watch::covers);
    }
  }

  private boolean isWatched(long page) {
    return (watch != null && watch.covers(page)) || (outerWatch != null && outerWatch.covers(page));
  }

  long peek(long linear) {
    long frame = walk.peek(linear);
    if (frame == PageWalk.NOT_PRESENT || frame == localPage) {
      return GuestMemory.NO_RAM;
    }
    long host = memory.hostAddress(frame);
    return host == GuestMemory.NO_RAM ? host : host | (linear & PAGE_OFFSET);
  }

  // Translation ----------------------------------------------------------------------------------

  /**
   * Translates one access within a page, filling the TLB.
   *
   * @return host address, or {@link GuestMemory#NO_RAM} with {@link #physical} set
   */
  private long resolve(int inBank, long linear, int access) {
    int tagOffset =
        access == PageWalk.FETCH ? Tlb.EXECUTE : access == PageWalk.WRITE ? Tlb.WRITE : Tlb.READ;
    long page = linear & PAGE_MASK;
    long entry = tlb.permitting(inBank, linear, tagOffset);
    if (entry != 0) {
      long host = linear + Raw.get64(entry + Tlb.ADDEND);
      if (Raw.get64(entry + tagOffset) != page) {
        hasten(entry, tagOffset, page, host);
      }
      return host;
    }
    return fill(inBank, linear, access);
  }

  private long fill(int inBank, long linear, int access) {
    checkReachable(linear);
    long page = linear & PAGE_MASK;
    walk.translate(linear, access, inBank == Tlb.USER, inBank == Tlb.SUPERVISOR);
    long hostPage =
        walk.physical == localPage ? GuestMemory.NO_RAM : memory.hostAddress(walk.physical);
    if (hostPage == GuestMemory.NO_RAM) {
      physical = walk.physical | (linear & PAGE_OFFSET);
      return GuestMemory.NO_RAM;
    }
    if (access == PageWalk.WRITE) {
      // Its dirty flag, so that the grant below is a fast one; the write itself asks again.
      memory.markDirty(hostPage);
    }
    long entry = tlb.claim(inBank, page, hostPage - page, walk.global, walk.shift);
    boolean watched = isWatched(page);
    if (walk.permitted(PageWalk.READ, inBank == Tlb.USER, inBank == Tlb.SUPERVISOR)) {
      Raw.put64(entry + Tlb.READ, watched ? Tlb.slow(page) : page);
    }
    if (walk.permitted(PageWalk.FETCH, inBank == Tlb.USER, inBank == Tlb.SUPERVISOR)) {
      Raw.put64(entry + Tlb.EXECUTE, page);
    }
    if (walk.dirty
        && walk.permitted(PageWalk.WRITE, inBank == Tlb.USER, inBank == Tlb.SUPERVISOR)) {
      Raw.put64(entry + Tlb.WRITE, Tlb.slow(page));
      if (!watched) {
        hasten(entry, Tlb.WRITE, page, hostPage);
      }
    }
    return hostPage | (linear & PAGE_OFFSET);
  }

  // Makes a slow tag fast where nothing speaks against it any more.
  private void hasten(long entry, int tagOffset, long page, long host) {
    if (isWatched(page)) {
      return;
    }
    if (tagOffset == Tlb.WRITE) {
      tlb.hasten(entry + tagOffset, page, host);
    } else {
      Raw.putRelease64(entry + tagOffset, page);
    }
  }

  private boolean reachable(long linear) {
    return !code64 || Segmentation.canonical(linear);
  }

  void checkReachable(long linear) {
    if (!reachable(linear)) {
      throw cpu.nonCanonical(linear);
    }
  }

  private boolean crosses(long linear, int size) {
    return (linear & PAGE_OFFSET) > PAGE_OFFSET + 1 - size;
  }

  /** The byte after {@code offset} others, with the wrap at 4 GiB outside 64-bit mode. */
  private long after(long linear, int offset) {
    long address = linear + offset;
    return code64 ? address : address & 0xFFFF_FFFFL;
  }

  void checkAlignment(long linear, int size) {
    // SDM vol. 3A, table 6-7; 16 bytes are checked by their instructions.
    if (checkAlignment && (linear & (size - 1)) != 0) {
      throw reachable(linear) ? cpu.fault(Fault.AC, 0) : cpu.nonCanonical(linear);
    }
  }

  // Loads ----------------------------------------------------------------------------------------

  long load(long linear, int size) {
    checkAlignment(linear, size);
    return load(bank, linear, size, PageWalk.READ);
  }

  long loadRmw(long linear, int size) {
    checkAlignment(linear, size);
    return load(bank, linear, size, PageWalk.WRITE);
  }

  long loadSystem(long linear, int size) {
    return load(Tlb.SUPERVISOR, linear, size, PageWalk.READ);
  }

  private long load(int inBank, long linear, int size, int access) {
    if (crosses(linear, size)) {
      int first = GuestMemory.PAGE_SIZE - (int) (linear & PAGE_OFFSET);
      // Both pages have to be there before either is read: reading a device may have effects.
      resolve(inBank, linear, access);
      resolve(inBank, after(linear, first), access);
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= loadWithin(inBank, after(linear, i), 1, access) << (8 * i);
      }
      watched(linear, size, false);
      return value;
    }
    long value = loadWithin(inBank, linear, size, access);
    watched(linear, size, false);
    return value;
  }

  private long loadWithin(int inBank, long linear, int size, int access) {
    long host = resolve(inBank, linear, access);
    if (host == GuestMemory.NO_RAM) {
      return loadDevice(size);
    }
    long value = get(host, size);
    Raw.acquireFence();
    return value;
  }

  private static long get(long host, int size) {
    return switch (size) {
      case 1 -> Raw.get8(host) & 0xFFL;
      case 2 -> Raw.get16(host) & 0xFFFFL;
      case 4 -> Raw.get32(host) & 0xFFFF_FFFFL;
      default -> Raw.get64(host);
    };
  }

  private long loadDevice(int size) {
    if ((physical & PAGE_MASK) == localPage) {
      cpu.needTime();
      return local.read((int) physical & PAGE_OFFSET, size);
    }
    if (cpu.replay.hasNext()) {
      return cpu.replay.take();
    }
    throw cpu.leave(new Exit.MemoryRead(physical, size));
  }

  void load128(long linear, long[] target, int index) {
    // The low half must not be in its register before the high half's fault is known.
    if (crosses(linear, 16)) {
      probe(linear, 16, PageWalk.READ);
    }
    long low = load(bank, linear, 8, PageWalk.READ);
    target[index + 1] = load(bank, after(linear, 8), 8, PageWalk.READ);
    target[index] = low;
  }

  // Stores ---------------------------------------------------------------------------------------

  void store(long linear, int size, long value) {
    checkAlignment(linear, size);
    store(bank, linear, size, value);
  }

  void storeSystem(long linear, int size, long value) {
    store(Tlb.SUPERVISOR, linear, size, value);
  }

  private void store(int inBank, long linear, int size, long value) {
    if (crosses(linear, size)) {
      int first = GuestMemory.PAGE_SIZE - (int) (linear & PAGE_OFFSET);
      resolve(inBank, linear, PageWalk.WRITE);
      resolve(inBank, after(linear, first), PageWalk.WRITE);
      watched(linear, size, true);
      for (int i = 0; i < size; i++) {
        storeWithin(inBank, after(linear, i), 1, value >>> (8 * i));
      }
      return;
    }
    long host = resolve(inBank, linear, PageWalk.WRITE);
    watched(linear, size, true);
    storeResolved(host, size, value);
  }

  private void storeWithin(int inBank, long linear, int size, long value) {
    storeResolved(resolve(inBank, linear, PageWalk.WRITE), size, value);
  }

  private void storeResolved(long host, int size, long value) {
    if (host == GuestMemory.NO_RAM) {
      storeDevice(size, value);
      return;
    }
    memory.markDirty(host);
    Raw.releaseFence();
    put(host, size, value);
    memory.written(host, size);
  }

  private static void put(long host, int size, long value) {
    switch (size) {
      case 1 -> Raw.put8(host, (byte) value);
      case 2 -> Raw.put16(host, (short) value);
      case 4 -> Raw.put32(host, (int) value);
      default -> Raw.put64(host, value);
    }
  }

  private void storeDevice(int size, long value) {
    long truncated = size == 8 ? value : value & (1L << (8 * size)) - 1;
    if ((physical & PAGE_MASK) == localPage) {
      cpu.needTime();
      local.write((int) physical & PAGE_OFFSET, size, truncated);
    } else {
      cpu.queueExit(new Exit.MemoryWrite(physical, size, truncated));
    }
  }

  void store128(long linear, long low, long high) {
    if (crosses(linear, 16)) {
      probe(linear, 16, PageWalk.WRITE);
    }
    store(bank, linear, 8, low);
    store(bank, after(linear, 8), 8, high);
  }

  private void watched(long linear, int size, boolean write) {
    if (watch != null) {
      watch.accessed(linear, size, write);
    }
    if (outerWatch != null) {
      outerWatch.accessed(linear, size, write);
    }
  }

  // Atomics --------------------------------------------------------------------------------------

  boolean compareAndSet(long linear, int size, long expected, long value) {
    checkAlignment(linear, size);
    if (((int) linear & (WORD - 1)) + size > WORD) {
      return splitCompareAndSet(linear, size, expected, value);
    }
    long host = resolve(bank, linear, PageWalk.WRITE);
    watched(linear, size, true);
    if (host == GuestMemory.NO_RAM) {
      storeDevice(size, value);
      return true;
    }
    memory.markDirty(host);
    boolean swapped = swap(host, size, expected, value);
    memory.written(host, size);
    return swapped;
  }

  /** What straddles 8 bytes, and hardware does by locking the bus: nobody else runs meanwhile. */
  private boolean splitCompareAndSet(long linear, int size, long expected, long value) {
    probe(linear, size, PageWalk.WRITE); // a fault stays outside
    boolean[] swapped = new boolean[1];
    cpu.execution.alone(
        () -> {
          if (load(bank, linear, size, PageWalk.WRITE) == mask(expected, size)) {
            store(bank, linear, size, value);
            swapped[0] = true;
          }
        });
    return swapped[0];
  }

  long updatableHost(long linear, int size) {
    long host = resolve(bank, linear, PageWalk.WRITE);
    watched(linear, size, true);
    if (host != GuestMemory.NO_RAM) {
      memory.markDirty(host);
    }
    return host;
  }

  private static long mask(long value, int size) {
    return size == 8 ? value : value & (1L << (8 * size)) - 1;
  }

  /** Compare-and-swap of 1, 2, 4 or 8 bytes of RAM, which lie within an aligned word. */
  static boolean swap(long host, int size, long expected, long value) {
    if (size == 8) {
      return Raw.compareAndSet64(host, expected, value);
    }
    if (size == 4 && (host & 3) == 0) {
      return Raw.compareAndSet32(host, (int) expected, (int) value);
    }
    int offset = (int) host & (WORD - 1);
    long word = host - offset;
    int shift = 8 * offset;
    long bits = mask(-1, size) << shift;
    while (true) {
      long old = Raw.getAcquire64(word);
      if (((old & bits) >>> shift) != mask(expected, size)) {
        return false;
      }
      long changed = (old & ~bits) | (mask(value, size) << shift);
      if (Raw.compareAndSet64(word, old, changed)) {
        return true;
      }
    }
  }

  void orSystem8(long linear, int bits) {
    long host = resolve(Tlb.SUPERVISOR, linear, PageWalk.WRITE);
    if (host == GuestMemory.NO_RAM) {
      return; // a descriptor in a device's registers: there is nothing to mark
    }
    memory.markDirty(host);
    long old;
    do {
      old = Raw.get8(host) & 0xFFL;
    } while ((old & bits) != bits && !swap(host, 1, old, old | bits));
    memory.written(host, 1);
  }

  // Probes and fetch -----------------------------------------------------------------------------

  void probe(long linear, int size, int access) {
    probe(bank, linear, size, access);
  }

  void probeAs(boolean supervisor, long linear, int size) {
    probe(supervisor ? Tlb.SUPERVISOR : Tlb.USER, linear, size, PageWalk.WRITE);
  }

  private void probe(int inBank, long linear, int size, int access) {
    resolve(inBank, linear, access);
    int reach = (int) (linear & PAGE_OFFSET) + size - 1;
    for (int offset = GuestMemory.PAGE_SIZE; offset <= reach; offset += GuestMemory.PAGE_SIZE) {
      resolve(inBank, after(linear & PAGE_MASK, offset), access);
    }
  }

  long fetchHost(long linear) {
    return resolve(bank, linear, PageWalk.FETCH);
  }

  /** A byte of code from a device: as a load of one byte. */
  int fetchMmio(long linear) {
    long host = resolve(bank, linear, PageWalk.FETCH);
    return host == GuestMemory.NO_RAM ? (int) loadDevice(1) : Raw.get8(host) & 0xFF;
  }
}
