package dev.troupe.runtime.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Saves state as bytes, in the form that the package describes. A leaf outside its own range is a
 * broken invariant of ours: {@link IllegalStateException}, with the path and the numbers.
 */
public final class StateWriter implements StateVisitor {
  static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final Path path = new Path();
  private byte[] bytes = new byte[1 << 12];
  private int size;

  /** Where the innermost part's version is to be put; 0 once it has been. */
  private int versionAt;

  /** Saves parts, in their order. */
  public static byte[] save(List<StatePart> parts) {
    StateWriter writer = new StateWriter();
    for (StatePart part : parts) {
      if (!part.absent()) {
        writer.part(part.name(), part.part());
      }
    }
    return writer.toBytes();
  }

  /** What was visited. */
  public byte[] toBytes() {
    return Arrays.copyOf(bytes, size);
  }

  /** Makes room; {@link #bytes} may be another array afterwards. */
  private int reserve(int count) {
    int at = size;
    size = Math.addExact(size, count);
    if (size > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(size, 2 * bytes.length));
    }
    return at;
  }

  @Override
  public boolean restoring() {
    return false;
  }

  @Override
  public int version(int current) {
    if (versionAt == 0 || current < 1 || current > 0xFFFF) {
      throw new IllegalStateException(
          path + ": a part has one version, 1 to 65,535, and it comes first: version=" + current);
    }
    SHORT.set(bytes, versionAt, (short) current);
    versionAt = 0;
    return current;
  }

  @Override
  public long scalar(String name, int index, Width width, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalStateException(
          path.of(name, index) + ": " + value + ", expected " + least + " to " + most);
    }
    requireVersion();
    int at = reserve(width.bytes());
    switch (width) {
      case BYTE -> bytes[at] = (byte) value;
      case SHORT -> SHORT.set(bytes, at, (short) value);
      case INT -> INT.set(bytes, at, (int) value);
      case LONG -> LONG.set(bytes, at, value);
    }
    return value;
  }

  private void requireVersion() {
    if (versionAt != 0) {
      throw new IllegalStateException(path + ": a part begins with its version");
    }
  }

  @Override
  public void bytes(String name, byte[] values) {
    requireVersion();
    int start = reserve(values.length);
    System.arraycopy(values, 0, bytes, start, values.length);
  }

  @Override
  public byte[] bytes(String name, byte[] values, int mostBytes) {
    count(name, values.length, mostBytes);
    bytes(name, values);
    return values;
  }

  @Override
  public void part(String name, Stateful part) {
    requireVersion();
    path.push(name, NO_INDEX);
    byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
    if (ascii.length < 1 || ascii.length > 0xFF) {
      throw new IllegalStateException(path + ": a part's name has 1 to 255 characters");
    }
    int start = reserve(1);
    bytes[start] = (byte) ascii.length;
    bytes(name, ascii);
    versionAt = reserve(Short.BYTES);
    int lengthAt = reserve(Integer.BYTES);
    part.state(this);
    requireVersion();
    INT.set(bytes, lengthAt, size - lengthAt - Integer.BYTES);
    path.pop();
  }

  @Override
  public void enter(String name, int index) {
    path.push(name, index);
  }

  @Override
  public void leave() {
    path.pop();
  }

  @Override
  public void require(boolean valid, String name, long value, String expected) {
    if (!valid) {
      throw new IllegalStateException(
          path.of(name, NO_INDEX) + ": " + value + ", expected " + expected);
    }
  }
}
