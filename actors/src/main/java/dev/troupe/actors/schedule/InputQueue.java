package dev.troupe.actors.schedule;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** Console input that waits for room, byte-exact and in order. Not for several threads at once. */
final class InputQueue implements Stateful {
  /** Console input that a snapshot may hold: more than any terminal or script lets wait. */
  private static final int MAX_WAITING = 16 << 20;

  static final byte[] NOTHING = {};

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

  /** The room, and what waits, as one. Whoever offered it is not told when it is in elsewhere. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    room = v.within("room", room, 0, Integer.MAX_VALUE);
    byte[] bytes = v.bytes("waiting", waiting(), MAX_WAITING);
    if (v.restoring()) {
      chunks.clear();
      offset = 0;
      if (bytes.length > 0) {
        add(bytes, () -> {});
      }
    }
  }

  private byte[] waiting() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int skip = offset;
    for (Chunk chunk : chunks) {
      all.write(chunk.bytes(), skip, chunk.bytes().length - skip);
      skip = 0;
    }
    return all.toByteArray();
  }
}
