package dev.troupe.runtime.snapshot;

import java.util.List;

/**
 * Hashes parts as if one bit of one of their leaves were another. Leaves are numbered in the order
 * of visiting; an array of bytes is one leaf, whose byte is {@code bit / 8} modulo its length.
 */
final class LeafFlipper {
  /** How many leaves the parts have. */
  int count(List<StatePart> parts) {
    Visit visit = new Visit(-1, 0);
    parts.forEach(part -> visit.part(part.name(), part.part()));
    return visit.leaves;
  }

  /** The hash with bit {@code bit} of leaf {@code leaf} flipped; the parts stay as they are. */
  long hash(List<StatePart> parts, int leaf, int bit) {
    Visit visit = new Visit(leaf, bit);
    parts.forEach(part -> visit.part(part.name(), part.part()));
    return visit.hasher.value();
  }

  private static final class Visit implements StateVisitor {
    private final StateHasher hasher = new StateHasher();
    private final int leaf;
    private final int bit;
    private int leaves;

    Visit(int leaf, int bit) {
      this.leaf = leaf;
      this.bit = bit;
    }

    @Override
    public boolean restoring() {
      return false;
    }

    @Override
    public int version(int current) {
      return hasher.version(current);
    }

    @Override
    public long scalar(String name, int index, Width width, long value, long least, long most) {
      long shown = leaves++ == leaf ? value ^ 1L << bit : value;
      hasher.scalar(name, index, width, shown, least, most);
      return value;
    }

    @Override
    public void bytes(String name, byte[] values) {
      hasher.bytes(name, shown(values));
    }

    @Override
    public byte[] bytes(String name, byte[] values, int mostBytes) {
      hasher.bytes(name, shown(values), mostBytes);
      return values;
    }

    private byte[] shown(byte[] values) {
      byte[] shown = values.clone();
      if (leaves++ == leaf) {
        if (shown.length == 0) {
          return new byte[1];
        }
        shown[bit / 8 % shown.length] ^= (byte) (1 << bit % 8);
      }
      return shown;
    }

    @Override
    public void part(String name, Stateful part) {
      hasher.part(name, v -> part.state(this));
    }

    @Override
    public void enter(String name, int index) {}

    @Override
    public void leave() {}

    @Override
    public void require(boolean valid, String name, long value, String expected) {}
  }
}
