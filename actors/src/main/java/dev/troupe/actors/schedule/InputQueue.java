package dev.troupe.actors.schedule;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** Console input that waits for room, byte-exact and in order. Not for several threads at once. */
final class InputQueue {
  private static final Runnable NOBODY = () -> {};
  private static final byte[] NOTHING = {};

  private record Chunk(byte[] bytes, Runnable taken) {}

  private final Deque<Chunk> chunks = new ArrayDeque<>();

  /** Bytes of the first chunk that are in already. */
  private int offset;

  /** Room that the device has granted and that is not used up. */
  private int room;

  void add(byte[] bytes, Runnable taken) {
    chunks.add(new Chunk(bytes, taken));
  }

  void grant(int bytes) {
    room += bytes;
  }

  /** Room that is left. */
  int room() {
    return room;
  }

  /** What may go in now; empty if nothing waits or there is no room. */
  byte[] take() {
    while (!chunks.isEmpty()) {
      Chunk first = chunks.peek();
      int count = Math.min(room, first.bytes().length - offset);
      byte[] part = Arrays.copyOfRange(first.bytes(), offset, offset + count);
      room -= count;
      offset += count;
      if (offset == first.bytes().length) {
        chunks.remove();
        offset = 0;
        first.taken().run();
      } else if (count == 0) {
        return NOTHING;
      }
      if (count > 0) {
        return part;
      }
    }
    return NOTHING;
  }

  /** What waits, as one. */
  byte[] waiting() {
    byte[] all = NOTHING;
    int skip = offset;
    for (Chunk chunk : chunks) {
      int old = all.length;
      all = Arrays.copyOf(all, old + chunk.bytes().length - skip);
      System.arraycopy(chunk.bytes(), skip, all, old, chunk.bytes().length - skip);
      skip = 0;
    }
    return all;
  }

  /** Puts what waited elsewhere in place of what waits; nobody is told when it is in. */
  void restore(byte[] bytes, int roomLeft) {
    chunks.clear();
    offset = 0;
    room = roomLeft;
    if (bytes.length > 0) {
      add(bytes, NOBODY);
    }
  }
}
