package dev.troupe.runtime.debug.gdb;

import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/** Numbers and bytes as the protocol writes them. */
final class Hex {
  /** Digits of the largest number. */
  private static final int MAX_DIGITS = 16;

  private Hex() {}

  /**
   * An unsigned number in hexadecimal, big-endian; empty if it is none, or has more than 64 bits.
   */
  static OptionalLong number(String text) {
    if (text.isEmpty() || text.length() > MAX_DIGITS || !isHex(text)) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(Long.parseUnsignedLong(text, 16));
  }

  /** Bytes, two digits each; empty if it is none. */
  static Optional<byte[]> bytes(String text) {
    if (text.length() % 2 != 0 || !isHex(text)) {
      return Optional.empty();
    }
    return Optional.of(HexFormat.of().parseHex(text));
  }

  private static boolean isHex(String text) {
    return text.chars().allMatch(HexFormat::isHexDigit);
  }
}
