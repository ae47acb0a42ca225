package dev.troupe.runtime.engine.host;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Calls machine code that runs for long: a System V function {@code void f(long argument)}. An
 * ordinary call, during which the thread counts as native, so that no safepoint waits for it.
 */
public final class EmittedCode {
  private static final MethodHandle CALL =
      Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  private final MemorySegment entry;

  /** The code at this host address. */
  public EmittedCode(long address) {
    entry = MemorySegment.ofAddress(address);
  }

  /** Runs it. */
  public void call(long argument) {
    try {
      CALL.invokeExact(entry, argument);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("emitted code", e);
    }
  }
}
