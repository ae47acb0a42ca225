package dev.troupe.runtime.device.uart;

import dev.troupe.runtime.snapshot.StateVisitor;

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

  /** The bytes, oldest first; where in the ring they are is not state. */
  void state(StateVisitor v, String name) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = ring[(first + i) % ring.length];
    }
    byte[] now = v.bytes(name, bytes, ring.length);
    if (v.restoring()) {
      first = 0;
      size = now.length;
      System.arraycopy(now, 0, ring, 0, size);
    }
  }
}
