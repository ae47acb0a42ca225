package dev.troupe.runtime.boot;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Bytes in a guest's order, built field by field. Offsets are ours, so a wrong one is our fault.
 */
final class GuestBuffer {
  private final ByteBuffer buffer;

  GuestBuffer(int size) {
    buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  GuestBuffer u8(int offset, int value) {
    buffer.put(offset, (byte) value);
    return this;
  }

  GuestBuffer u16(int offset, int value) {
    buffer.putShort(offset, (short) value);
    return this;
  }

  GuestBuffer u32(int offset, long value) {
    buffer.putInt(offset, (int) value);
    return this;
  }

  GuestBuffer u64(int offset, long value) {
    buffer.putLong(offset, value);
    return this;
  }

  GuestBuffer bytes(int offset, byte... bytes) {
    buffer.put(offset, bytes);
    return this;
  }

  byte[] array() {
    return buffer.array();
  }

  MemorySegment segment() {
    return MemorySegment.ofArray(buffer.array());
  }
}
