package dev.troupe.runtime.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

  private final HostMapping mapping;

  private ExecutableMemory(HostMapping mapping) {
    this.mapping = mapping;
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
   * @throws HostMemoryException if the host refuses
   */
  public static ExecutableMemory allocate(long size) {
    if (!SUPPORTED) {
      throw new UnsupportedOperationException(
          "no machine code for this host: "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch"));
    }
    return new ExecutableMemory(HostMapping.mapExecutable(size));
  }

  /** Host address of the first byte. */
  public long address() {
    return mapping.address();
  }

  /** Bytes asked for. */
  public long size() {
    return mapping.size();
  }

  /**
   * Copies {@code code} to {@code offset}. x86 keeps instruction fetch coherent; the caller must
   * not be running there.
   */
  public void write(long offset, byte[] code) {
    Objects.checkFromIndexSize(offset, /* size= */ code.length, /* length= */ size());
    MemorySegment.copy(
        code,
        0,
        Raw.segment(address() + offset, code.length),
        ValueLayout.JAVA_BYTE,
        0,
        code.length);
  }

  /** Unmaps. No thread may run code of this mapping any more. */
  @Override
  public void close() {
    mapping.close();
  }
}
