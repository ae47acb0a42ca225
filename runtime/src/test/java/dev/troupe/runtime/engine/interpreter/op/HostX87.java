package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.engine.host.HostStub;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Runs one x87 instruction on the host's CPU, with any control word: an unmasked exception stays
 * pending, and FNSAVE, which does not wait for it, ends it.
 */
final class HostX87 {
  /**
   * FRSTOR's image of the state before, FNSAVE's of the state after: 28 bytes of environment, eight
   * registers of ten.
   */
  static final int BEFORE = 0;

  static final int FLAGS = 112;
  static final int AFTER = 128;
  static final int MEMORY = 256;

  /** Size of the memory operand's field. */
  static final int MEMORY_SIZE = 128;

  private static final int REGISTERS = 28;

  private final MemorySegment block = Arena.global().allocate(MEMORY + MEMORY_SIZE, 64);
  private final HostStub stub;

  /** A memory operand in the instruction is [rsi]. */
  HostX87(byte[] instruction) {
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    put(o, 0x48, 0x8D, 0xB7, MEMORY, MEMORY >> 8, 0, 0); // lea rsi,[rdi+MEMORY]
    put(o, 0xDD, 0x67, BEFORE); // frstor [rdi+BEFORE]
    put(o, 0xFF, 0x77, FLAGS, 0x9D); // push [rdi+FLAGS]; popfq
    o.writeBytes(instruction);
    put(o, 0x9C, 0x8F, 0x47, FLAGS); // pushfq; pop [rdi+FLAGS]
    put(o, 0xDD, 0xB7, AFTER, 0, 0, 0); // fnsave [rdi+AFTER]
    put(o, 0xC3);
    stub = new HostStub(o.toByteArray());
  }

  private static void put(ByteArrayOutputStream o, int... bytes) {
    for (int b : bytes) {
      o.write(b); // its lowest eight bits
    }
  }

  void run() {
    stub.call(block.address());
  }

  int word(int offset) {
    return block.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset) & 0xFFFF;
  }

  void word(int offset, int value) {
    block.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) value);
  }

  long quad(int offset) {
    return block.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
  }

  void quad(int offset, long value) {
    block.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
  }

  /** Place of ST(i) in an image. */
  static int register(int image, int i) {
    return image + REGISTERS + 10 * i;
  }
}
