package dev.troupe.runtime.journal;

import java.util.Arrays;

/**
 * Bytes that grow: numbers as little-endian base-128, signed ones folded so that small stay small.
 */
final class RecordOutput {
  private byte[] bytes;
  private int size;

  RecordOutput(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  byte[] toByteArray() {
    return Arrays.copyOf(bytes, size);
  }

  void clear() {
    size = 0;
  }

  void u8(int value) {
    room(1);
    bytes[size++] = (byte) value;
  }

  void unsigned(long value) {
    room(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void signed(long value) {
    unsigned(value << 1 ^ value >> 63);
  }

  void fixed64(long value) {
    room(8);
    for (int i = 0; i < 64; i += 8) {
      bytes[size++] = (byte) (value >>> i);
    }
  }

  void bytes(byte[] value) {
    unsigned(value.length);
    room(value.length);
    System.arraycopy(value, 0, bytes, size, value.length);
    size += value.length;
  }

  private void room(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
