package dev.troupe.runtime.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A 64-bit hash of state: of the names and versions of the parts, and of all leaves in their order.
 * Each step is a bijection of the hash so far and of what is added, so that a change of one leaf
 * alone always changes the result. Not a defence against somebody who looks for collisions.
 */
public final class StateHasher implements StateVisitor {
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long SEED = 0x9E37_79B9_7F4A_7C15L;

  private long hash = SEED;

  /** The hash of parts, in their order. */
  public static long hash(List<StatePart> parts) {
    StateHasher hasher = new StateHasher();
    for (StatePart part : parts) {
      if (!part.absent()) {
        hasher.part(part.name(), part.part());
      }
    }
    return hasher.value();
  }

  /** The hash of all that was visited. */
  public long value() {
    return hash;
  }

  private void add(long value) {
    // The constant keeps a run of zeroes from meeting the bijection's fixed point at 0.
    hash = Mix.mix(hash ^ value) + SEED;
  }

  @Override
  public boolean restoring() {
    return false;
  }

  @Override
  public int version(int current) {
    add(current);
    return current;
  }

  @Override
  public long scalar(String name, int index, Width width, long value, long least, long most) {
    add(value);
    return value;
  }

  @Override
  public void bytes(String name, byte[] values) {
    int i = 0;
    for (; i + Long.BYTES <= values.length; i += Long.BYTES) {
      add((long) WORD.get(values, i));
    }
    for (; i < values.length; i++) {
      add(values[i]);
    }
  }

  @Override
  public byte[] bytes(String name, byte[] values, int mostBytes) {
    add(values.length);
    bytes(name, values);
    return values;
  }

  @Override
  public void part(String name, Stateful part) {
    add(name.length());
    for (int i = 0; i < name.length(); i++) {
      add(name.charAt(i));
    }
    part.state(this);
  }

  @Override
  public void enter(String name, int index) {}

  @Override
  public void leave() {}

  @Override
  public void require(boolean valid, String name, long value, String expected) {}
}
