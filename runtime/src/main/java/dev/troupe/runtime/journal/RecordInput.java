package dev.troupe.runtime.journal;

import java.util.Arrays;

/**
 * Reads what {@link RecordOutput} has written, from bytes of unknown origin.
 *
 * <p>Its methods throw {@link Malformed}.
 */
final class RecordInput {
  /** The bytes are no records; the message says what was expected. */
  static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message, null, false, false);
    }
  }

  private final byte[] bytes;
  private int at;

  RecordInput(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean atEnd() {
    return at == bytes.length;
  }

  int offset() {
    return at;
  }

  int u8() {
    if (atEnd()) {
      throw new Malformed("a record is cut at offset " + at);
    }
    return bytes[at++] & 0xFF;
  }

  long unsigned() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw new Malformed("a number of more than ten bytes before offset " + at);
  }

  long signed() {
    long folded = unsigned();
    return folded >>> 1 ^ -(folded & 1);
  }

  /** A number from {@code low} to {@code high}. */
  int within(String what, int low, int high) {
    long value = unsigned();
    if (value < low || value > high) {
      throw new Malformed(
          "%s: %s, expected %d to %d".formatted(what, Long.toUnsignedString(value), low, high));
    }
    return (int) value;
  }

  long fixed64() {
    long value = 0;
    for (int i = 0; i < 64; i += 8) {
      value |= (long) u8() << i;
    }
    return value;
  }

  byte[] bytes(int most) {
    int length = within("length", 0, Math.min(most, bytes.length - at));
    at += length;
    return Arrays.copyOfRange(bytes, at - length, at);
  }
}
