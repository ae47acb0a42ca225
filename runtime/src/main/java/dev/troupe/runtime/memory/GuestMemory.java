package dev.troupe.runtime.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Guest-physical memory: RAM mapped outside the heap, sparse, with the hole below 4 GiB that x86
 * boards have. RAM is [0, min(size, HOLE_START)) and, for larger guests, [4 GiB, 4 GiB + size -
 * HOLE_START). All of it is one mapping of the host: RAM above the hole follows RAM below it.
 *
 * <p>Each page has flags, and a set of those who hold code of it. They decide whether a write may
 * be done without more ado: everybody who writes RAM by its host address holds a grant from {@link
 * #grantWrite}, or calls {@link #markDirty} before and {@link #written} after.
 *
 * <p>A write and the decoding of the same bytes on two threads: who is going to decode enters the
 * set, takes the grants back, waits until no vCPU is in the middle of a store that began under one
 * ({@link Turns}), then reads; who writes without a grant writes, then looks at the set. One of the
 * two sees the other.
 */
public final class GuestMemory implements AutoCloseable {
  public static final int PAGE_SIZE = 4096;

  /**
   * Guests with less memory, of which there may be thousands, get no page that they do not touch.
   */
  private static final long HUGE_FROM = 64L << 20;

  /** RAM below 4 GiB ends here at the latest; above it are PCI memory and the interrupt chips. */
  public static final long HOLE_START = 0xC000_0000L;

  /** The hole ends here. */
  public static final long HOLE_END = 0x1_0000_0000L;

  /** Not a host address: no RAM there. */
  public static final long NO_RAM = 0;

  /** Holders of code, at most: one a vCPU, a bit each in a page's set. */
  private static final int MAX_CODE_LISTENERS = 64;

  private static final int PAGE_SHIFT = 12;

  /**
   * 2^40 bytes: the largest physical address width that CPU models offer leaves room for it, and it
   * bounds the page flags at 1 GiB.
   */
  public static final long MAXIMUM_SIZE = 1L << 40;

  private final long size;
  private final long lowSize;
  private final long highSize;
  private final HostMapping ram;
  private final PageFlags flags;
  private final HostMapping code;
  private final long base;
  private final long codeBase;
  private boolean closed;
  private long resets;
  private final List<Runnable> others = new ArrayList<>();
  private final Turns turns = new Turns();
  private final List<CodeListener> codeListeners = new CopyOnWriteArrayList<>();
  private final List<WriteGrants> grants = new CopyOnWriteArrayList<>();

  private GuestMemory(long size, HostMapping ram, PageFlags flags, HostMapping code) {
    this.size = size;
    this.lowSize = Math.min(size, HOLE_START);
    this.highSize = size - lowSize;
    this.ram = ram;
    this.flags = flags;
    this.code = code;
    this.base = ram.address();
    this.codeBase = code.address();
  }

  /**
   * Maps {@code size} bytes, none of them touched.
   *
   * @param size a multiple of 4096, 4 KiB to {@link #MAXIMUM_SIZE}
   * @throws HostMemoryException if the host refuses
   */
  public static GuestMemory allocate(long size) {
    if (size < PAGE_SIZE || size > MAXIMUM_SIZE || (size & (PAGE_SIZE - 1)) != 0) {
      throw new IllegalArgumentException(
          "guest memory must be whole pages, 4096 to " + MAXIMUM_SIZE + " bytes: size=" + size);
    }
    long pages = size >> PAGE_SHIFT;
    List<Runnable> mapped = new ArrayList<>();
    try {
      HostMapping ram = size < HUGE_FROM ? HostMapping.map(size) : HostMapping.mapHuge(size);
      mapped.add(ram::close);
      PageFlags flags = new PageFlags(pages);
      mapped.add(flags::close);
      return new GuestMemory(size, ram, flags, HostMapping.map(pages * Long.BYTES));
    } catch (RuntimeException e) {
      mapped.forEach(Runnable::run);
      throw e;
    }
  }

  /** Bytes of RAM. */
  public long size() {
    return size;
  }

  /**
   * Bytes of RAM that the host has given pages to; see {@link HostMapping#residentBytes}. May be
   * asked by any thread at any time, also when this memory is closed.
   */
  public long residentBytes() {
    return ram.residentBytes();
  }

  /** End of RAM below 4 GiB, exclusive. */
  public long lowSize() {
    return lowSize;
  }

  /** Bytes of RAM from 4 GiB on. */
  public long highSize() {
    return highSize;
  }

  /**
   * Host address of a guest-physical address, or {@link #NO_RAM}. Valid to the end of its 4 KiB
   * page.
   */
  public long hostAddress(long physical) {
    if (Long.compareUnsigned(physical, lowSize) < 0) {
      return base + physical;
    }
    long high = physical - HOLE_END;
    if (Long.compareUnsigned(high, highSize) < 0) {
      return base + lowSize + high;
    }
    return NO_RAM;
  }

  /** Guest-physical address of a host address that {@link #hostAddress} gave. */
  public long physicalAddress(long host) {
    long offset = host - base;
    return offset < lowSize ? offset : offset - lowSize + HOLE_END;
  }

  /** Whether all of [physical, physical + length) is RAM without a gap. */
  public boolean contains(long physical, long length) {
    if (length < 0) {
      return false;
    }
    return physical >= 0
        && (physical <= lowSize - length
            || (physical >= HOLE_END && physical - HOLE_END <= highSize - length));
  }

  /** The turns of the vCPUs that share this memory. */
  public Turns turns() {
    return turns;
  }

  // Page flags ----------------------------------------------------------------------------------

  private long pageOf(long host) {
    return (host - base) >>> PAGE_SHIFT;
  }

  private long codeAddress(long host) {
    return codeBase + (pageOf(host) << 3);
  }

  /**
   * Adds a holder of code.
   *
   * @return its number, for {@link #markCode} and {@link #codeGone}
   */
  public synchronized int addCodeListener(CodeListener listener) {
    int number = codeListeners.size();
    if (number == MAX_CODE_LISTENERS) {
      throw new IllegalStateException("more holders of code than " + MAX_CODE_LISTENERS);
    }
    codeListeners.add(Objects.requireNonNull(listener));
    return number;
  }

  /** Adds a holder of write grants: a TLB. */
  public void addWriteGrants(WriteGrants holder) {
    grants.add(Objects.requireNonNull(holder));
  }

  /**
   * Enters a holder of code of a page, before the page's bytes are read for decoding: from now on
   * it is told of each write.
   *
   * @param host a host address of RAM
   * @param holder the number that {@link #addCodeListener} gave
   * @return true if others may be in the middle of a write that nobody is told of: {@link
   *     Turns.Turn#awaitOthers}, then {@link #codeSettled}, before the bytes are read
   */
  public boolean markCode(long host, int holder) {
    long page = host & -PAGE_SIZE;
    Raw.getAndOr64(codeAddress(page), 1L << holder);
    // Also if another holder is just taking the grants back: it has not come to its end.
    if (!flags.isGranted(pageOf(page))) {
      return false;
    }
    for (WriteGrants holderOfGrants : grants) {
      holderOfGrants.slowWrites(page);
    }
    return true;
  }

  /**
   * Every write to a page that began under a grant has been done since {@link #markCode}, whose
   * caller holds code of it still.
   */
  public void codeSettled(long host) {
    flags.ungrant(pageOf(host));
  }

  /** A holder has no code of this page any more. */
  public void codeGone(long host, int holder) {
    Raw.getAndAnd64(codeAddress(host), ~(1L << holder));
  }

  /** True if anybody holds code of the page that this host address of RAM is in. */
  public boolean holdsCode(long host) {
    return Raw.getAcquire64(codeAddress(host)) != 0;
  }

  /**
   * Asks for the right to write a page without more ado. The asker stores its fast tag first and
   * calls this after it, so that a concurrent {@link #markCode} either sees the grant or is seen
   * here.
   *
   * @param host a host address of RAM
   * @return false if the tag has to be slow: somebody holds code of the page or it is not dirty yet
   */
  public boolean grantWrite(long host) {
    if (holdsCode(host)) {
      return false; // and leaves no flag, for which the next decoding would take grants back
    }
    return flags.grant(pageOf(host)) && !holdsCode(host);
  }

  /**
   * Has to be called after every write to RAM that holds no grant, within one page; {@link
   * #markDirty} comes before it.
   *
   * @param host host address of the first byte, in RAM
   * @param length 1 to the end of the page
   */
  public void written(long host, int length) {
    VarHandle.fullFence();
    for (long holders = Raw.getAcquire64(codeAddress(host)); holders != 0; holders &= holders - 1) {
      int holder = Long.numberOfTrailingZeros(holders);
      if (codeListeners.get(holder).codeWritten(host, length)) {
        codeGone(host, holder);
      }
    }
  }

  /** Has to be called before a page is written, or a translation made to write it through. */
  public void markDirty(long host) {
    flags.markDirty(pageOf(host));
  }

  /** Whether the page at this physical address was written since {@link #clearDirty()}. */
  public boolean isDirty(long physical) {
    return flags.isDirty(pageOf(ramAddress(physical)));
  }

  /**
   * Starts a new round of dirty tracking: all pages count as clean. Logs keep what they have not
   * told yet. Only at a quiet point, when no vCPU runs.
   */
  public void clearDirty() {
    for (WriteGrants holder : grants) {
      holder.slowAllWrites();
    }
    flags.clearDirty();
  }

  /**
   * Opens a log of written pages, independent of others, for as long as the memory lasts. It begins
   * with all pages that were ever written. Only at a quiet point.
   */
  public synchronized DirtyLog openDirtyLog() {
    return new DirtyLog(this, flags.openLog());
  }

  /** Takes a log's mark off every page that has it, in ascending order. */
  void takeMarks(int bit, LongConsumer marked) {
    flags.takeMarks(bit, marked);
  }

  /** How often {@link #reset()} has zeroed all. */
  long resets() {
    return resets;
  }

  /** Pages of RAM; they are numbered from 0 without the hole. */
  public long pages() {
    return size >> PAGE_SHIFT;
  }

  /** Host address of the page of that number. */
  public long pageAddress(long page) {
    return base + (Objects.checkIndex(page, pages()) << PAGE_SHIFT);
  }

  /** False if the page of that number was not written since the power-on state: it reads 0. */
  public boolean isTouched(long page) {
    return flags.isTouched(page);
  }

  private long ramAddress(long physical) {
    long host = hostAddress(physical);
    if (host == NO_RAM) {
      throw new IndexOutOfBoundsException(
          "no RAM at guest-physical 0x%x: size=%d".formatted(physical, size));
    }
    return host;
  }

  // Copies for devices and loaders --------------------------------------------------------------

  /**
   * Copies into guest memory, honouring dirty and code tracking.
   *
   * @return false, and nothing is copied, if a byte of the target is no RAM
   */
  public boolean copyIn(long physical, byte[] source, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, source.length);
    return copyIn(physical, MemorySegment.ofArray(source).asSlice(offset, length));
  }

  /** {@link #copyIn(long, byte[], int, int)} of all of an array. */
  public boolean copyIn(long physical, byte[] source) {
    return copyIn(physical, MemorySegment.ofArray(source));
  }

  /** {@link #copyIn(long, byte[], int, int)} from a segment: a mapped file, a buffer. */
  public boolean copyIn(long physical, MemorySegment source) {
    long length = source.byteSize();
    if (!contains(physical, length)) {
      return false;
    }
    long host = length == 0 ? base : ramAddress(physical);
    write(host, length, target -> MemorySegment.copy(source, 0, target, 0, length));
    return true;
  }

  /**
   * Fills guest memory with one byte value, honouring dirty and code tracking.
   *
   * @return false, and nothing is written, if a byte of the target is no RAM
   */
  public boolean fill(long physical, long length, byte value) {
    if (!contains(physical, length)) {
      return false;
    }
    long host = length == 0 ? base : ramAddress(physical);
    write(host, length, target -> target.fill(value));
    return true;
  }

  private void write(long host, long length, Consumer<MemorySegment> writer) {
    forEachPage(host, length, (at, count) -> markDirty(at));
    Raw.releaseFence();
    writer.accept(Raw.segment(host, length));
    forEachPage(host, length, this::written);
  }

  /** A part of a range that lies within one page. */
  private interface Part {
    void at(long host, int length);
  }

  private static void forEachPage(long host, long length, Part part) {
    for (long done = 0; done < length; ) {
      int chunk = (int) Math.min(length - done, PAGE_SIZE - ((host + done) & (PAGE_SIZE - 1)));
      part.at(host + done, chunk);
      done += chunk;
    }
  }

  /**
   * Copies out of guest memory.
   *
   * @return false, and nothing is copied, if a byte of the source is no RAM
   */
  public boolean copyOut(long physical, byte[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (!contains(physical, length)) {
      return false;
    }
    if (length > 0) {
      MemorySegment.copy(
          Raw.segment(ramAddress(physical), length),
          ValueLayout.JAVA_BYTE,
          0,
          target,
          offset,
          length);
      Raw.acquireFence();
    }
    return true;
  }

  /** {@link #copyOut(long, byte[], int, int)} into all of an array. */
  public boolean copyOut(long physical, byte[] target) {
    return copyOut(physical, target, 0, target.length);
  }

  // Life ----------------------------------------------------------------------------------------

  /**
   * Another sparse mapping that lives as long as this memory: a vCPU's TLB.
   *
   * @param bytes at least 1
   * @return host address of its first byte; all bytes are 0
   */
  public synchronized long mapBeside(long bytes) {
    HostMapping mapping = HostMapping.map(bytes);
    others.add(mapping::close);
    return mapping.address();
  }

  /** Machine code that lives as long as this memory: {@code close} is called with it. */
  public synchronized void keepBeside(Runnable close) {
    others.add(close);
  }

  /**
   * Power-on state: all RAM reads 0, no page is code or dirty. Only when no vCPU runs; the
   * listeners are told of every code page, the vCPUs flush their TLBs by their own reset.
   */
  public synchronized void reset() {
    if (closed) {
      throw new IllegalStateException("guest memory is closed: size=" + size);
    }
    for (WriteGrants holder : grants) {
      holder.slowAllWrites();
    }
    ram.discard();
    for (long page = base; page < base + size; page += PAGE_SIZE) {
      if (holdsCode(page)) {
        written(page, PAGE_SIZE);
      }
    }
    flags.discard();
    resets++;
  }

  /** Unmaps everything, once. Nobody may use an address of this memory any more. */
  @Override
  public synchronized void close() {
    closed = true;
    ram.close();
    flags.close();
    code.close();
    others.forEach(Runnable::run);
    others.clear();
  }
}
