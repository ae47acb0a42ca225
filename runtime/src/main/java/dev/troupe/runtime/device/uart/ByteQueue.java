package dev.troupe.runtime.device.uart;

/** A bounded first-in first-out queue of bytes in a ring. */
final class ByteQueue {
  private final byte[] ring;
  private int first;
  private int size;

  ByteQueue(int capacity) {
    ring = new byte[capacity];
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  boolean isFull() {
    return size == ring.length;
  }

  /** Appends; false if there is no room. */
  boolean add(int value) {
    if (isFull()) {
      return false;
    }
    ring[(first + size++) % ring.length] = (byte) value;
    return true;
  }

  /** Puts a byte before all others; there must be room. */
  void addFirst(int value) {
    first = (first + ring.length - 1) % ring.length;
    ring[first] = (byte) value;
    size++;
  }

  /** Takes the oldest byte, 0 to 255; there must be one. */
  int remove() {
    int value = ring[first] & 0xFF;
    first = (first + 1) % ring.length;
    size--;
    return value;
  }

  /** Takes the newest byte, 0 to 255; there must be one. */
  int removeLast() {
    size--;
    return ring[(first + size) % ring.length] & 0xFF;
  }

  void clear() {
    size = 0;
  }

  byte[] toArray() {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = ring[(first + i) % ring.length];
    }
    return bytes;
  }

  void replaceBy(byte[] bytes) {
    if (bytes.length > ring.length) {
      throw new IllegalArgumentException(
          "queue too small: bytes=%d capacity=%d".formatted(bytes.length, ring.length));
    }
    first = 0;
    size = bytes.length;
    System.arraycopy(bytes, 0, ring, 0, size);
  }
}
