package dev.troupe.runtime.boot;

import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A machine's memory after a plan was written, read the way a guest would. */
final class GuestView implements AutoCloseable {
  private final GuestMemory memory;

  GuestView(long size, BootPlan plan) {
    memory = GuestMemory.allocate(size);
    plan.write(memory);
  }

  byte[] bytes(long address, int size) {
    byte[] bytes = new byte[size];
    if (!memory.copyOut(address, bytes)) {
      throw new AssertionError("no RAM at 0x%x".formatted(address));
    }
    return bytes;
  }

  private ByteBuffer at(long address, int size) {
    return ByteBuffer.wrap(bytes(address, size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  int u8(long address) {
    return at(address, 1).get() & 0xFF;
  }

  int u16(long address) {
    return at(address, 2).getShort() & 0xFFFF;
  }

  long u32(long address) {
    return at(address, 4).getInt() & 0xFFFF_FFFFL;
  }

  long u64(long address) {
    return at(address, 8).getLong();
  }

  /** The text up to a zero byte. */
  String text(long address) {
    StringBuilder text = new StringBuilder();
    for (long a = address; u8(a) != 0; a++) {
      text.append((char) u8(a));
    }
    return text.toString();
  }

  String text(long address, int length) {
    return new String(bytes(address, length), StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    memory.close();
  }
}
