package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.engine.host.HostStub;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Runs one MMX or SSE instruction on the host's CPU, with any MXCSR: the oracle of the vector
 * tests.
 */
final class HostVector {
  static final int XMM0 = 0;
  static final int XMM1 = 16;
  static final int MXCSR = 32;
  private static final int SAVED_MXCSR = 36;
  static final int MM0 = 40;
  static final int MM1 = 48;
  static final int RAX = 56;
  static final int RCX = 64;
  static final int RDX = 72;
  static final int FLAGS = 80;
  static final int XMM2 = 96;
  private static final int SIZE = 112;

  private final MemorySegment block = Arena.global().allocate(SIZE, 16);
  private final HostStub stub;

  /**
   * Operands in the instruction are xmm0 and xmm1, mm0 and mm1, rax, rcx and rdx; xmm2 is there for
   * implicit ones.
   */
  HostVector(byte[] instruction, boolean mmx) {
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    put(o, 0x0F, 0xAE, 0x5F, SAVED_MXCSR); // stmxcsr [rdi+d]
    put(o, 0x0F, 0xAE, 0x57, MXCSR); // ldmxcsr [rdi+d]
    put(o, 0x0F, 0x10, 0x47, XMM0); // movups xmm0,[rdi+d]
    put(o, 0x0F, 0x10, 0x4F, XMM1);
    put(o, 0x0F, 0x10, 0x57, XMM2);
    if (mmx) {
      put(o, 0x0F, 0x6F, 0x47, MM0); // movq mm0,[rdi+d]
      put(o, 0x0F, 0x6F, 0x4F, MM1);
    }
    put(o, 0x48, 0x8B, 0x47, RAX); // mov rax,[rdi+d]
    put(o, 0x48, 0x8B, 0x4F, RCX);
    put(o, 0x48, 0x8B, 0x57, RDX);
    put(o, 0x49, 0xBA); // mov r10,MAGIC
    HostTraps.quad(o, HostTraps.MAGIC);
    put(o, 0x4C, 0x8D, 0x1D, instruction.length, 0, 0, 0); // lea r11,[rip+length]
    o.writeBytes(instruction);
    put(o, 0x41, 0xBA, 0, 0, 0, 0); // mov r10d,0; a trap goes on here
    put(o, 0x9C, 0x8F, 0x47, FLAGS); // pushfq; pop [rdi+d]
    put(o, 0x0F, 0x11, 0x47, XMM0);
    put(o, 0x0F, 0x11, 0x4F, XMM1);
    put(o, 0x48, 0x89, 0x47, RAX);
    put(o, 0x48, 0x89, 0x4F, RCX);
    put(o, 0x48, 0x89, 0x57, RDX);
    if (mmx) {
      put(o, 0x0F, 0x7F, 0x47, MM0);
      put(o, 0x0F, 0x7F, 0x4F, MM1);
      put(o, 0x0F, 0x77); // emms
    }
    put(o, 0x0F, 0xAE, 0x5F, MXCSR);
    put(o, 0x0F, 0xAE, 0x57, SAVED_MXCSR);
    put(o, 0xC3);
    stub = new HostStub(o.toByteArray());
  }

  private static void put(ByteArrayOutputStream o, int... bytes) {
    for (int b : bytes) {
      o.write(b);
    }
  }

  void run() {
    stub.call(block.address());
  }

  long get(int offset) {
    return block.get(ValueLayout.JAVA_LONG, offset);
  }

  void set(int offset, long value) {
    block.set(ValueLayout.JAVA_LONG, offset, value);
  }

  int mxcsr() {
    return block.get(ValueLayout.JAVA_INT, MXCSR);
  }

  void mxcsr(int value) {
    block.set(ValueLayout.JAVA_INT, MXCSR, value);
  }
}
