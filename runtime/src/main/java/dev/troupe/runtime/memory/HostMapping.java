package dev.troupe.runtime.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A private, zero, sparse mapping of the host: it costs nothing until it is touched and is not
 * charged against the host's commit limit, so that a guest's memory may be larger than what it
 * uses. Unmapped exactly once, however often it is closed.
 */
public final class HostMapping implements AutoCloseable {
  // mmap(2) on Linux, the same numbers on x86-64 and AArch64 (asm-generic/mman.h).
  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;

  /** Of x86-64 hosts, and of most others. */
  private static final long HUGE_PAGE = 2L << 20;

  private static final long MAP_FAILED = -1;

  /**
   * What mincore(2) counts by on x86-64: a byte a page, its lowest bit set if the page is in
   * memory.
   */
  private static final long PAGE = 4096;

  private static final long RESIDENT = 0x0101_0101_0101_0101L;

  /** Asked of mincore(2) in one call: some milliseconds, 64 KiB of answers. */
  private static final long ASKED_AT_ONCE = 256L << 20;

  /** errno values that a user can do something about. */
  private static final int ENOMEM = 12;

  private static final int EINVAL = 22;

  private final long address;
  private final long size;

  /** What was mapped, which may begin before {@link #address} and end behind. */
  private final long mapped;

  private final long mappedSize;
  private boolean closed;

  private HostMapping(long address, long size, long mapped, long mappedSize) {
    this.address = address;
    this.size = size;
    this.mapped = mapped;
    this.mappedSize = mappedSize;
  }

  /**
   * Maps {@code size} bytes at an address of the kernel's choice.
   *
   * @param size bytes, at least 1; the kernel rounds up to whole pages
   * @throws HostMemoryException if the host refuses
   */
  public static HostMapping map(long size) {
    long address = reserve(size, size, PROT_READ_WRITE);
    return new HostMapping(address, size, address, size);
  }

  /**
   * The same, whose bytes may be run.
   *
   * @param size bytes, at least 1
   * @throws HostMemoryException if the host refuses
   */
  static HostMapping mapExecutable(long size) {
    long address = reserve(size, size, PROT_READ_WRITE | PROT_EXEC);
    return new HostMapping(address, size, address, size);
  }

  /**
   * As {@link #map}, of huge pages where the host gives them to those that ask: the first touch of
   * a page is a fault in the host, and one serves for 512 pages then. What is touched here and
   * there takes more of the host's memory.
   *
   * @param size bytes, at least 1
   * @throws HostMemoryException if the host refuses
   */
  public static HostMapping mapHuge(long size) {
    long mappedSize = size + HUGE_PAGE;
    long mapped = reserve(size, mappedSize, PROT_READ_WRITE);
    long address = mapped + HUGE_PAGE - 1 & -HUGE_PAGE;
    advise(address, size, MADV_HUGEPAGE); // a kernel without them refuses, and nothing is lost
    return new HostMapping(address, size, mapped, mappedSize);
  }

  private static long reserve(long wanted, long size, int protection) {
    if (wanted < 1) {
      throw new IllegalArgumentException("a mapping needs a positive size: size=" + wanted);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Calls.CAPTURE);
      long address =
          (long)
              Calls.MMAP.invokeExact(
                  state, 0L, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
      if (address == MAP_FAILED) {
        int errno = state.get(ValueLayout.JAVA_INT, 0);
        throw new HostMemoryException(
            "the host cannot map " + wanted + " bytes of memory: " + describe(errno));
      }
      return address;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap", e);
    }
  }

  private static String describe(int errno) {
    return switch (errno) {
      case ENOMEM -> "out of address space, or over the limit of ulimit -v or the overcommit rule";
      case EINVAL -> "the size is out of range";
      default -> "errno " + errno;
    };
  }

  /** Host address of the first byte, a multiple of the host's page size. */
  public long address() {
    return address;
  }

  /** Bytes asked for. */
  public long size() {
    return size;
  }

  /** Gives all pages back to the host: every byte reads 0 again. */
  public synchronized void discard() {
    if (closed) {
      throw new IllegalStateException("mapping is closed: size=" + size);
    }
    if (!advise(address, size, MADV_DONTNEED)) {
      throw new IllegalStateException("madvise failed: address=" + address + " size=" + size);
    }
  }

  /**
   * Bytes that the host keeps in its memory for this mapping now, in whole pages of 4 KiB. What was
   * only read counts where the host has given a page for it; what the host has swapped out does
   * not.
   *
   * @return 0 once it is closed
   * @throws HostMemoryException if the host does not tell
   */
  public long residentBytes() {
    long bytes = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pages = arena.allocate(ASKED_AT_ONCE / PAGE, Long.BYTES);
      for (long from = 0; from < size; from += ASKED_AT_ONCE) {
        bytes += residentBytes(from, Math.min(ASKED_AT_ONCE, size - from), pages);
      }
    }
    return bytes;
  }

  /** A part at a time, so that nobody who closes waits for a whole large guest. */
  private synchronized long residentBytes(long from, long length, MemorySegment pages) {
    if (closed) {
      return 0;
    }
    pages.fill((byte) 0);
    int result;
    try {
      result = (int) Calls.MINCORE.invokeExact(address + from, length, pages);
    } catch (Throwable e) {
      throw new IllegalStateException("mincore", e);
    }
    if (result != 0) {
      throw new HostMemoryException(
          "the host does not tell which pages it keeps: address=%d length=%d"
              .formatted(address + from, length));
    }
    long count = 0;
    for (long at = 0; at < (length + PAGE - 1) / PAGE; at += Long.BYTES) {
      count += Long.bitCount(pages.get(ValueLayout.JAVA_LONG, at) & RESIDENT);
    }
    return count * PAGE;
  }

  private static boolean advise(long address, long size, int advice) {
    try {
      return (int) Calls.MADVISE.invokeExact(address, size, advice) == 0;
    } catch (Throwable e) {
      throw new IllegalStateException("madvise", e);
    }
  }

  /** Unmaps; nobody may use an address of this mapping any more. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    int result;
    try {
      result = (int) Calls.MUNMAP.invokeExact(mapped, mappedSize);
    } catch (Throwable e) {
      throw new IllegalStateException("munmap", e);
    }
    if (result != 0) {
      throw new IllegalStateException("munmap failed: address=" + address + " size=" + size);
    }
  }

  /** The system calls, resolved when the first mapping is made. */
  private static final class Calls {
    static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    static final MethodHandle MMAP =
        find(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG),
            Linker.Option.captureCallState("errno"));
    static final MethodHandle MUNMAP =
        find(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    static final MethodHandle MADVISE =
        find(
            "madvise",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));

    static final MethodHandle MINCORE =
        find(
            "mincore",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS));

    private static MethodHandle find(
        String name, FunctionDescriptor type, Linker.Option... options) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
    }
  }
}
