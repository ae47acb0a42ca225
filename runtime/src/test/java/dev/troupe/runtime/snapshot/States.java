package dev.troupe.runtime.snapshot;

import java.util.List;

/** State of one part, for tests. */
public final class States {
  private States() {}

  /** The part as it stands alone. */
  public static List<StatePart> parts(Stateful part) {
    return List.of(new StatePart("part", part));
  }

  /** Saves a part. */
  public static byte[] save(Stateful part) {
    return StateWriter.save(parts(part));
  }

  /** Restores a part, which must succeed. */
  public static void restore(byte[] bytes, Stateful part) {
    try {
      StateReader.restore(bytes, parts(part));
    } catch (StateException e) {
      throw new AssertionError(e);
    }
  }

  /** Gives a part the state of another of its kind. */
  public static void copy(Stateful from, Stateful to) {
    restore(save(from), to);
  }

  /** All leaves of a part, a line each. */
  public static String listing(Stateful part) {
    return StateListing.of(parts(part)).toString();
  }

  /** Where two parts differ. */
  public static List<StateListing.Difference> diff(Stateful a, Stateful b) {
    return StateListing.diff(StateListing.of(parts(a)), StateListing.of(parts(b)));
  }

  /** The hash of a part. */
  public static long hash(Stateful part) {
    return StateHasher.hash(parts(part));
  }

  /** Changes one leaf, as restoring a state that differs in it alone. */
  public static void set(Stateful part, String path, long value) {
    Editor editor = new Editor("part." + path, value);
    editor.part("part", part);
    if (!editor.found) {
      throw new AssertionError("no such leaf: " + path);
    }
  }

  private static final class Editor implements StateVisitor {
    private final Path here = new Path();
    private final String path;
    private final long value;
    private boolean found;

    Editor(String path, long value) {
      this.path = path;
      this.value = value;
    }

    @Override
    public boolean restoring() {
      return true;
    }

    @Override
    public int version(int current) {
      return current;
    }

    @Override
    public long scalar(String name, int index, Width width, long now, long least, long most) {
      if (!here.of(name, index).equals(path)) {
        return now;
      }
      found = true;
      return value;
    }

    @Override
    public void bytes(String name, byte[] values) {}

    @Override
    public byte[] bytes(String name, byte[] values, int mostBytes) {
      return values;
    }

    @Override
    public <T> List<T> list(
        String name, List<T> values, int most, T blank, Element<T> description) {
      return values;
    }

    @Override
    public void part(String name, Stateful part) {
      here.push(name, NO_INDEX);
      part.state(this);
      here.pop();
    }

    @Override
    public void enter(String name, int index) {
      here.push(name, index);
    }

    @Override
    public void leave() {
      here.pop();
    }

    @Override
    public void require(boolean valid, String name, long shown, String expected) {
      if (!valid) {
        throw new AssertionError(here.of(name, NO_INDEX) + ": " + shown + ", expected " + expected);
      }
    }
  }
}
