package dev.troupe.runtime.snapshot;

import java.util.ArrayList;
import java.util.List;

/**
 * Visits the state of a part, leaf by leaf. Saving, hashing and listing give back what they were
 * shown; restoring gives back what was stored, of which it has checked the range. Names are unique
 * within their part and short; they stand in messages and listings, not in the stored bytes.
 *
 * <p>The methods to implement come first; all others follow from them.
 */
public interface StateVisitor {
  /** The index of a leaf that is no array's element. */
  int NO_INDEX = -1;

  /** How many bytes a leaf is stored in. */
  enum Width {
    /** One byte, 0 to 255. */
    BYTE(1),
    /** Two bytes, 0 to 65,535. */
    SHORT(2),
    /** Four bytes, signed. */
    INT(4),
    /** Eight bytes, signed. */
    LONG(8);

    private final int bytes;

    Width(int bytes) {
      this.bytes = bytes;
    }

    /** Bytes stored. */
    public int bytes() {
      return bytes;
    }
  }

  /** One element of a list: shows the fields of {@code value} and makes what came back. */
  @FunctionalInterface
  interface Element<T> {
    T state(StateVisitor v, T value);
  }

  /** True if what comes back is to be taken over, and derived state computed from it. */
  boolean restoring();

  /**
   * First in each part: the version of its layout, 1 to {@code current}. Less than {@code current}
   * only while restoring: the part then takes defaults for the fields that the older one lacks.
   */
  int version(int current);

  /**
   * A leaf.
   *
   * @param index its place in an array, or {@link #NO_INDEX}
   * @param least the smallest value that it can have, signed
   * @param most the largest, signed
   */
  long scalar(String name, int index, Width width, long value, long least, long most);

  /** An array of bytes of fixed length, filled in place. */
  void bytes(String name, byte[] values);

  /** Bytes of which there may be fewer or more. */
  byte[] bytes(String name, byte[] values, int mostBytes);

  /** A part of this part, with a version of its own. */
  void part(String name, Stateful part);

  /** The leaves up to {@link #leave()} are those of an element of a list. */
  void enter(String name, int index);

  /** Ends what {@link #enter} began. */
  void leave();

  /**
   * A condition among fields that have been shown, which the ranges do not express.
   *
   * @param valid refused if false
   * @param name of the field that is to blame
   * @param expected for people: {@code "at most count"}
   */
  void require(boolean valid, String name, long value, String expected);

  /** A flag. */
  default boolean bool(String name, boolean value) {
    return scalar(name, NO_INDEX, Width.BYTE, value ? 1 : 0, 0, 1) != 0;
  }

  /** A register of 8 bits, 0 to 255. */
  default int int8(String name, int value) {
    return (int) scalar(name, NO_INDEX, Width.BYTE, value, 0, 0xFF);
  }

  /** A register of 16 bits, 0 to 65,535. */
  default int int16(String name, int value) {
    return (int) scalar(name, NO_INDEX, Width.SHORT, value, 0, 0xFFFF);
  }

  /** Any 32 bits. */
  default int int32(String name, int value) {
    return (int) scalar(name, NO_INDEX, Width.INT, value, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** Any 64 bits. */
  default long int64(String name, long value) {
    return scalar(name, NO_INDEX, Width.LONG, value, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  /** A number from {@code least} to {@code most}. */
  default int within(String name, int value, int least, int most) {
    return (int) scalar(name, NO_INDEX, Width.INT, value, least, most);
  }

  /** A number from {@code least} to {@code most}. */
  default long within(String name, long value, long least, long most) {
    return scalar(name, NO_INDEX, Width.LONG, value, least, most);
  }

  /** Bits of which only those of {@code writable} can be set. */
  default int bits(String name, int value, int writable) {
    int bits = int32(name, value);
    require((bits & ~writable) == 0, name, bits, "bits of 0x" + Integer.toHexString(writable));
    return bits;
  }

  /** Bits of which only those of {@code writable} can be set. */
  default long bits(String name, long value, long writable) {
    long bits = int64(name, value);
    require((bits & ~writable) == 0, name, bits, "bits of 0x" + Long.toHexString(writable));
    return bits;
  }

  /** Any 64 bits each, filled in place. */
  default void longs(String name, long[] values) {
    longs(name, values, values.length);
  }

  /** The first {@code count} of an array, which are its state, any 64 bits each. */
  default void longs(String name, long[] values, int count) {
    longs(name, values, count, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  /** The first {@code count} of an array, {@code least} to {@code most} each. */
  default void longs(String name, long[] values, int count, long least, long most) {
    for (int i = 0; i < count; i++) {
      values[i] = scalar(name, i, Width.LONG, values[i], least, most);
    }
  }

  /** The first {@code count} of an array, {@code least} to {@code most} each. */
  default void ints(String name, int[] values, int count, int least, int most) {
    for (int i = 0; i < count; i++) {
      values[i] = (int) scalar(name, i, Width.INT, values[i], least, most);
    }
  }

  /** A constant of an enumeration; its constants and their order are part of the layout. */
  default <E extends Enum<E>> E constant(String name, E value, Class<E> type) {
    E[] constants = type.getEnumConstants();
    return constants[
        (int) scalar(name, NO_INDEX, Width.BYTE, value.ordinal(), 0, constants.length - 1)];
  }

  /** How many elements follow. */
  default int count(String name, int size, int most) {
    return (int) scalar(name, NO_INDEX, Width.INT, size, 0, most);
  }

  /**
   * A list of values.
   *
   * @param blank what is shown for elements that do not exist yet, while restoring
   * @return the same list, or the one restored
   */
  default <T> List<T> list(String name, List<T> values, int most, T blank, Element<T> description) {
    int count = count(name, values.size(), most);
    List<T> result = restoring() ? new ArrayList<>() : values;
    for (int i = 0; i < count; i++) {
      enter(name, i);
      T element = description.state(this, restoring() ? blank : values.get(i));
      leave();
      if (restoring()) {
        result.add(element);
      }
    }
    return result;
  }
}
