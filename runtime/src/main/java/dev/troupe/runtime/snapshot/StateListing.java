package dev.troupe.runtime.snapshot;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;

/**
 * State as text for people and for comparisons: a value for each path, in the order of visiting.
 */
public final class StateListing implements StateVisitor {
  /**
   * One leaf.
   *
   * @param path such as {@code vcpu0.apic.timer.mode}
   * @param value a number, as {@code 0x…} from 10 up; a constant's name; bytes in hexadecimal
   */
  public record Entry(String path, String value) {
    @Override
    public String toString() {
      return path + "=" + value;
    }
  }

  /**
   * A path whose values differ.
   *
   * @param left the first listing's value, or null if it lacks the path
   * @param right the second's
   */
  public record Difference(String path, String left, String right) {
    @Override
    public String toString() {
      return path + ": " + left + " / " + right;
    }
  }

  private final Path path = new Path();
  private final List<Entry> entries = new ArrayList<>();

  /** The listing of parts, in their order. */
  public static StateListing of(List<StatePart> parts) {
    StateListing listing = new StateListing();
    for (StatePart part : parts) {
      if (!part.absent()) {
        listing.part(part.name(), part.part());
      }
    }
    return listing;
  }

  /** The differing paths: those of {@code a} in its order, then those that only {@code b} has. */
  public static List<Difference> diff(StateListing a, StateListing b) {
    TreeMap<String, String> right = new TreeMap<>();
    b.entries.forEach(entry -> right.put(entry.path, entry.value));
    List<Difference> differences = new ArrayList<>();
    for (Entry entry : a.entries) {
      String other = right.remove(entry.path);
      if (!entry.value.equals(other)) {
        differences.add(new Difference(entry.path, entry.value, other));
      }
    }
    for (Entry entry : b.entries) {
      if (right.containsKey(entry.path)) {
        differences.add(new Difference(entry.path, null, entry.value));
      }
    }
    return differences;
  }

  /** All leaves, in the order of visiting. */
  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** One line a leaf. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    entries.forEach(entry -> text.append(entry).append('\n'));
    return text.toString();
  }

  private void add(String name, int index, String value) {
    entries.add(new Entry(path.of(name, index), value));
  }

  @Override
  public boolean restoring() {
    return false;
  }

  @Override
  public int version(int current) {
    add("version", NO_INDEX, Integer.toString(current));
    return current;
  }

  @Override
  public long scalar(String name, int index, Width width, long value, long least, long most) {
    boolean small = value > -10 && value < 10;
    add(name, index, small ? Long.toString(value) : "0x" + Long.toHexString(value));
    return value;
  }

  @Override
  public <E extends Enum<E>> E constant(String name, E value, Class<E> type) {
    add(name, NO_INDEX, value.name());
    return value;
  }

  @Override
  public int count(String name, int size, int most) {
    add(name + ".size", NO_INDEX, Integer.toString(size));
    return size;
  }

  @Override
  public void bytes(String name, byte[] values) {
    add(name, NO_INDEX, HexFormat.of().formatHex(values));
  }

  @Override
  public byte[] bytes(String name, byte[] values, int mostBytes) {
    bytes(name, values);
    return values;
  }

  @Override
  public void part(String name, Stateful part) {
    path.push(name, NO_INDEX);
    part.state(this);
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
  public void require(boolean valid, String name, long value, String expected) {}
}
