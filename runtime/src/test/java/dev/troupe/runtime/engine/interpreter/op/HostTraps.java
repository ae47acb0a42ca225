package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.memory.ExecutableMemory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Lets test stubs raise floating-point exceptions: a SIGFPE handler, itself machine code, in front
 * of HotSpot's. A stub that has {@link #MAGIC} in r10 goes on at the address in r11, with registers
 * and MXCSR as at the fault; all else is HotSpot's.
 */
final class HostTraps {
  /** What r10 holds in a stub that traps. */
  static final long MAGIC = 0x7A3C_51E6_90BD_F248L;

  private static final int SIGFPE = 8;
  private static final int SA_SIGINFO = 4;
  private static final int SA_ONSTACK = 0x0800_0000;

  // glibc's struct sigaction: handler, mask of 128 bytes, flags.
  private static final int SIGACTION_SIZE = 152;
  private static final int SIGACTION_FLAGS = 136;

  // ucontext_t: saved r10, r11, rip.
  private static final int R10 = 0x38;
  private static final int R11 = 0x40;
  private static final int RIP = 0xA8;

  private static boolean installed;

  private HostTraps() {}

  /** Puts the handler in place, once; it stays. */
  static synchronized void install() throws Throwable {
    if (installed || !HostStub.available()) {
      return;
    }
    installed = true;
    Linker linker = Linker.nativeLinker();
    var sigaction =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment old = arena.allocate(SIGACTION_SIZE, 8);
      int result = (int) sigaction.invokeExact(SIGFPE, MemorySegment.NULL, old);
      ExecutableMemory code = ExecutableMemory.allocate(4096);
      code.write(0, handler(old.get(ValueLayout.JAVA_LONG, 0)));
      MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
      action.set(ValueLayout.JAVA_LONG, 0, code.address());
      action.set(ValueLayout.JAVA_INT, SIGACTION_FLAGS, SA_SIGINFO | SA_ONSTACK);
      result |= (int) sigaction.invokeExact(SIGFPE, action, MemorySegment.NULL);
      if (result != 0) {
        throw new IllegalStateException("sigaction " + result);
      }
    }
  }

  private static byte[] handler(long old) {
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    put(o, 0x48, 0xB8); // mov rax,MAGIC
    quad(o, MAGIC);
    put(o, 0x48, 0x3B, 0x42, R10); // cmp rax,[rdx+R10]
    put(o, 0x75, 12); // jne other
    put(o, 0x48, 0x8B, 0x42, R11); // mov rax,[rdx+R11]
    put(o, 0x48, 0x89, 0x82, RIP, 0, 0, 0); // mov [rdx+RIP],rax
    put(o, 0xC3);
    put(o, 0x48, 0xB8); // other: mov rax,old
    quad(o, old);
    put(o, 0xFF, 0xE0); // jmp rax
    return o.toByteArray();
  }

  private static void put(ByteArrayOutputStream o, int... bytes) {
    for (int b : bytes) {
      o.write(b);
    }
  }

  static void quad(ByteArrayOutputStream o, long v) {
    for (int n = 0; n < 64; n += 8) {
      o.write((int) (v >>> n));
    }
  }
}
