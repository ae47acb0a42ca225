package dev.troupe.runtime.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Objects;

/**
 * A private anonymous mapping that is readable, writable and executable, for machine code that Java
 * emits. Never at a fixed address. Only where {@link #supported()}.
 */
public final class ExecutableMemory implements AutoCloseable {
  private static final boolean SUPPORTED =
      System.getProperty("os.name").equals("Linux")
          && System.getProperty("os.arch").toLowerCase(Locale.ROOT).matches("amd64|x86_64");

  // Linux x86-64, asm-generic/mman-common.h.
  private static final int PROT_READ_WRITE_EXEC = 1 | 2 | 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
  private static final long MAP_FAILED = -1;

  /** The system calls, resolved once and only where they are used. */
  private static final class Calls {
    static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
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
            ERRNO);
    static final MethodHandle MUNMAP =
        find(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

    private static MethodHandle find(
        String name, FunctionDescriptor type, Linker.Option... options) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
    }
  }

  private final long address;
  private final long size;
  private boolean closed;

  private ExecutableMemory(long address, long size) {
    this.address = address;
    this.size = size;
  }

  /**
   * Whether this host is one that the machine code which this project emits is for: Linux on
   * x86-64.
   */
  public static boolean supported() {
    return SUPPORTED;
  }

  /**
   * Maps {@code size} bytes, zero, untouched.
   *
   * @param size at least 1; the kernel rounds up to whole pages
   */
  public static ExecutableMemory allocate(long size) {
    if (!SUPPORTED) {
      throw new UnsupportedOperationException(
          "no machine code for this host: "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch"));
    }
    if (size < 1) {
      throw new IllegalArgumentException(
          "executable memory must have a positive size: size=" + size);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Calls.CAPTURE);
      long address =
          (long)
              Calls.MMAP.invokeExact(
                  state, 0L, size, PROT_READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (address == MAP_FAILED) {
        throw new IllegalStateException(
            "mmap of executable memory failed: size="
                + size
                + " errno="
                + state.get(ValueLayout.JAVA_INT, 0));
      }
      return new ExecutableMemory(address, size);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap", e);
    }
  }

  /** Host address of the first byte. */
  public long address() {
    return address;
  }

  /** Bytes asked for. */
  public long size() {
    return size;
  }

  /**
   * Copies {@code code} to {@code offset}. x86 keeps instruction fetch coherent; the caller must
   * not be running there.
   */
  public void write(long offset, byte[] code) {
    Objects.checkFromIndexSize(offset, /* size= */ code.length, /* length= */ size);
    MemorySegment.copy(
        code, 0, Raw.segment(address + offset, code.length), ValueLayout.JAVA_BYTE, 0, code.length);
  }

  /** Unmaps. No thread may run code of this mapping any more. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      int result = (int) Calls.MUNMAP.invokeExact(address, size);
      if (result != 0) {
        throw new IllegalStateException("munmap failed: address=" + address + " size=" + size);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("munmap", e);
    }
  }
}
