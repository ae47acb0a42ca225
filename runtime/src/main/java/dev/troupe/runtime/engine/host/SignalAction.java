package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.memory.ExecutableMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * What this process does on a signal: glibc's {@code struct sigaction} on Linux x86-64. Only where
 * {@link ExecutableMemory#supported()}, as a handler of our own is machine code: in Java it would
 * be an upcall, which a thread in any state but native cannot make.
 */
public final class SignalAction {
  public static final int SIGILL = 4;
  public static final int SIGTRAP = 5;
  public static final int SIGBUS = 7;
  public static final int SIGFPE = 8;
  public static final int SIGSEGV = 11;

  /** Handlers that are no code. */
  public static final long DEFAULT = 0;

  public static final long IGNORE = 1;

  // Handler, mask of 128 bytes, flags, restorer.
  private static final int BYTES = 152;
  private static final int HANDLER = 0;

  /** The system's call, resolved where it is used. */
  private static final class Call {
    static final MethodHandle SIGACTION =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("sigaction"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS));
  }

  private final byte[] image;

  private SignalAction(byte[] image) {
    this.image = image;
  }

  /** What the process does now. */
  public static SignalAction of(int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment old = arena.allocate(BYTES, 8);
      call(signal, MemorySegment.NULL, old);
      return new SignalAction(old.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** Address of the handler, or {@link #DEFAULT} or {@link #IGNORE}. */
  public long handler() {
    return MemorySegment.ofArray(image).get(ValueLayout.JAVA_LONG_UNALIGNED, HANDLER);
  }

  /** The same flags and the same mask, with another handler. */
  public SignalAction withHandler(long address) {
    byte[] changed = image.clone();
    MemorySegment.ofArray(changed).set(ValueLayout.JAVA_LONG_UNALIGNED, HANDLER, address);
    return new SignalAction(changed);
  }

  /** Makes it what the process does on a signal, for all threads. */
  public void install(int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(BYTES, 8);
      MemorySegment.copy(image, 0, action, ValueLayout.JAVA_BYTE, 0, BYTES);
      call(signal, action, MemorySegment.NULL);
    }
  }

  private static void call(int signal, MemorySegment action, MemorySegment old) {
    int result;
    try {
      result = (int) Call.SIGACTION.invokeExact(signal, action, old);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("sigaction", e);
    }
    if (result != 0) {
      throw new IllegalStateException("sigaction failed: signal=" + signal);
    }
  }
}
