package dev.troupe.runtime.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import sun.misc.Unsafe;

/**
 * Access to memory outside the heap by host address. The only place that holds the all-of-memory
 * segment: callers have checked their addresses against a mapping that they own.
 *
 * <p>Plain reads and writes go through {@code sun.misc.Unsafe} where the JVM has it, else through
 * the segment: in compiled code the two are close, but before C2 has come an access through the
 * segment costs ten times as much, and a guest's boot is mostly that
 * (docs/decisions/0005-plain-memory-access-by-unsafe.md).
 */
@SuppressWarnings("removal") // see the decision
public final class Raw {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  /** Null where this JVM no longer offers or allows it. */
  private static final Unsafe UNSAFE = unsafe();

  private Raw() {}

  private static Unsafe unsafe() {
    try {
      Class<?> type = Class.forName("sun.misc.Unsafe");
      VarHandle field =
          MethodHandles.privateLookupIn(type, MethodHandles.lookup())
              .findStaticVarHandle(type, "theUnsafe", type);
      var unsafe = (Unsafe) field.get();
      long probe = unsafe.allocateMemory(Long.BYTES);
      try {
        unsafe.putLong(probe, 0x0102_0304_0506_0708L);
        return ALL.get(ValueLayout.JAVA_LONG, probe) == unsafe.getLong(probe) ? unsafe : null;
      } finally {
        unsafe.freeMemory(probe);
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      return null; // not there, or --sun-misc-unsafe-memory-access=deny
    }
  }

  public static byte get8(long address) {
    return UNSAFE != null ? UNSAFE.getByte(address) : ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  public static short get16(long address) {
    return UNSAFE != null
        ? UNSAFE.getShort(address)
        : ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
  }

  public static int get32(long address) {
    return UNSAFE != null
        ? UNSAFE.getInt(address)
        : ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  public static long get64(long address) {
    return UNSAFE != null
        ? UNSAFE.getLong(address)
        : ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  public static void put8(long address, byte value) {
    if (UNSAFE != null) {
      UNSAFE.putByte(address, value);
    } else {
      ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }
  }

  public static void put16(long address, short value) {
    if (UNSAFE != null) {
      UNSAFE.putShort(address, value);
    } else {
      ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
    }
  }

  public static void put32(long address, int value) {
    if (UNSAFE != null) {
      UNSAFE.putInt(address, value);
    } else {
      ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
    }
  }

  public static void put64(long address, long value) {
    if (UNSAFE != null) {
      UNSAFE.putLong(address, value);
    } else {
      ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
    }
  }

  /** Reads with acquire semantics; the address is a multiple of 4. */
  public static int getAcquire32(long address) {
    return (int) INT.getAcquire(ALL, address);
  }

  /** Reads with acquire semantics; the address is a multiple of 8. */
  public static long getAcquire64(long address) {
    return (long) LONG.getAcquire(ALL, address);
  }

  /** Writes with release semantics; the address is a multiple of 8. */
  public static void putRelease64(long address, long value) {
    LONG.setRelease(ALL, address, value);
  }

  /** Sets bits atomically and returns the old value; the address is a multiple of 4. */
  public static int getAndOr32(long address, int bits) {
    return (int) INT.getAndBitwiseOr(ALL, address, bits);
  }

  /** Keeps bits atomically and returns the old value; the address is a multiple of 4. */
  public static int getAndAnd32(long address, int bits) {
    return (int) INT.getAndBitwiseAnd(ALL, address, bits);
  }

  /** Sets bits atomically and returns the old value; the address is a multiple of 8. */
  public static long getAndOr64(long address, long bits) {
    return (long) LONG.getAndBitwiseOr(ALL, address, bits);
  }

  /** Keeps bits atomically and returns the old value; the address is a multiple of 8. */
  public static long getAndAnd64(long address, long bits) {
    return (long) LONG.getAndBitwiseAnd(ALL, address, bits);
  }

  /** The hardware's compare-and-swap; the address is a multiple of 4. */
  public static boolean compareAndSet32(long address, int expected, int value) {
    return INT.compareAndSet(ALL, address, expected, value);
  }

  /** The hardware's compare-and-swap; the address is a multiple of 8. */
  public static boolean compareAndSet64(long address, long expected, long value) {
    return LONG.compareAndSet(ALL, address, expected, value);
  }

  /** Later loads and stores stay after the loads before this. A compiler barrier on x86. */
  public static void acquireFence() {
    VarHandle.acquireFence();
  }

  /** Earlier loads and stores stay before the stores after this. A compiler barrier on x86. */
  public static void releaseFence() {
    VarHandle.releaseFence();
  }

  /** Copies {@code length} bytes; where they overlap, as if by way of another place. */
  public static void copy(long from, long to, long length) {
    MemorySegment.copy(ALL, from, ALL, to, length);
  }

  /** Sets {@code length} bytes. */
  public static void fill(long address, long length, byte value) {
    ALL.asSlice(address, length).fill(value);
  }

  /** The {@code size} bytes at {@code address} as a segment, for bulk copies. */
  public static MemorySegment segment(long address, long size) {
    return ALL.asSlice(address, size);
  }
}
