package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.memory.ExecutableMemory;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A few bytes of machine code that do what Java cannot: instructions whose result only this host's
 * CPU knows (the law on host-defined results), and the 16-byte compare-exchange. A stub is a System
 * V function {@code long f(long argument)}: the argument in rdi, the result in rax; rax, rcx, rdx,
 * rsi, r8 to r11 and the XMM registers are free; it must keep the x87 and MXCSR control words, end
 * soon and never fault on the arguments it is given.
 *
 * <p>Stubs live as long as the JVM; make them once, in static fields. Only where {@link
 * #available()}.
 */
public final class HostStub {
  /**
   * All stubs together: each is some tens of bytes, there are some tens of them, tests make some
   * thousands.
   */
  private static final long AREA_SIZE = 1 << 20;

  private static final int ALIGNMENT = 16;

  /** Code area and call, made when the first stub is. */
  private static final class Area {
    static final ExecutableMemory MEMORY = ExecutableMemory.allocate(AREA_SIZE);
    static final MethodHandle CALL =
        Linker.nativeLinker()
            .downcallHandle(
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
                // Stubs are shorter than a thread state transition, so that no safepoint waits for
                // one.
                Linker.Option.critical(false));
    static long used;

    static synchronized long add(byte[] code) {
      long offset = used;
      if (offset + code.length > AREA_SIZE) {
        throw new IllegalStateException(
            "stub area full: used=" + offset + " wanted=" + code.length);
      }
      MEMORY.write(offset, code);
      used = (offset + code.length + ALIGNMENT - 1) & -ALIGNMENT;
      return MEMORY.address() + offset;
    }
  }

  private final MemorySegment entry;

  /** Puts {@code code} into executable memory. */
  public HostStub(byte[] code) {
    entry = MemorySegment.ofAddress(Area.add(code));
  }

  /** Whether stubs can be made here: a Linux x86-64 host. */
  public static boolean available() {
    return ExecutableMemory.supported();
  }

  /** Runs the stub. */
  public long call(long argument) {
    try {
      return (long) Area.CALL.invokeExact(entry, argument);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("host stub", e);
    }
  }
}
