package dev.troupe.runtime.boot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the part of the ACPI Machine Language that a board's description needs (ACPI 6.5, chapter
 * 20). Terms are bytes.
 */
final class Aml {
  private static final int NAME_OP = 0x08;
  private static final int SCOPE_OP = 0x10;
  private static final int BUFFER_OP = 0x11;
  private static final int PACKAGE_OP = 0x12;
  private static final int EXTENSION = 0x5B;
  private static final int DEVICE_OP = 0x82;
  private static final int ROOT = '\\';

  private Aml() {}

  /** {@code Scope (\name) { terms }}. */
  static byte[] scope(String name, List<byte[]> terms) {
    return join(bytes(SCOPE_OP), lengthOf(join(bytes(ROOT), segment(name), join(terms))));
  }

  /** {@code Device (name) { terms }}. */
  static byte[] device(String name, List<byte[]> terms) {
    return join(bytes(EXTENSION, DEVICE_OP), lengthOf(join(segment(name), join(terms))));
  }

  /** {@code Name (name, value)}. */
  static byte[] name(String name, byte[] value) {
    return join(bytes(NAME_OP), segment(name), value);
  }

  /** {@code Name (\name, value)}. */
  static byte[] rootName(String name, byte[] value) {
    return join(bytes(NAME_OP, ROOT), segment(name), value);
  }

  /** The shortest form of an unsigned 32-bit number. */
  static byte[] integer(long value) {
    if (value < 0 || value > 0xFFFF_FFFFL) {
      throw new IllegalArgumentException("AML integer out of range: value=" + value);
    }
    if (value <= 1) {
      return bytes((int) value);
    }
    if (value <= 0xFF) {
      return bytes(0x0A, (int) value);
    }
    if (value <= 0xFFFF) {
      return bytes(0x0B, (int) value, (int) (value >> 8));
    }
    return bytes(0x0C, (int) value, (int) (value >> 8), (int) (value >> 16), (int) (value >> 24));
  }

  /**
   * {@code EisaId ("PNP0A03")}: three letters of 5 bits, four hexadecimal digits, most significant
   * first.
   */
  static byte[] eisaId(String id) {
    int letters = 0;
    for (int i = 0; i < 3; i++) {
      letters = letters << 5 | id.charAt(i) - 0x40;
    }
    int packed = letters << 16 | Integer.parseInt(id.substring(3), 16);
    return integer(Integer.toUnsignedLong(Integer.reverseBytes(packed)));
  }

  /** {@code Package () { elements }}, at most 255. */
  static byte[] pack(List<byte[]> elements) {
    return join(bytes(PACKAGE_OP), lengthOf(join(bytes(elements.size()), join(elements))));
  }

  /** {@code ResourceTemplate () { descriptors }}: a buffer that ends with the end tag. */
  static byte[] resources(List<byte[]> descriptors) {
    byte[] body = join(join(descriptors), bytes(0x79, 0));
    return join(bytes(BUFFER_OP), lengthOf(join(integer(body.length), body)));
  }

  /** {@code IO (Decode16, first, first, 1, length)} (section 6.4.2.5). */
  static byte[] ports(int first, int length) {
    return bytes(0x47, 1, first, first >> 8, first, first >> 8, 1, length);
  }

  /** {@code IRQNoFlags () { irq }}: edge, active high (section 6.4.2.1). */
  static byte[] irq(int irq) {
    return bytes(0x22, 1 << irq, 1 << irq >> 8);
  }

  /**
   * {@code WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, …)} (section 6.4.3.5.3).
   */
  static byte[] busNumbers(int first, int last) {
    return word(2, 0, first, last);
  }

  /** {@code WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, …)}. */
  static byte[] portWindow(int first, int last) {
    return word(1, 3, first, last);
  }

  /**
   * {@code DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
   * …)} (section 6.4.3.5.2).
   */
  static byte[] memoryWindow(long first, long last) {
    GuestBuffer descriptor = new GuestBuffer(26);
    descriptor.u8(0, 0x87).u16(1, 23).u8(3, 0).u8(4, 0x0C).u8(5, 1);
    return descriptor.u32(10, first).u32(14, last).u32(22, last - first + 1).array();
  }

  private static byte[] word(int type, int flags, int first, int last) {
    GuestBuffer descriptor = new GuestBuffer(16);
    descriptor.u8(0, 0x88).u16(1, 13).u8(3, type).u8(4, 0x0C).u8(5, flags);
    return descriptor.u16(8, first).u16(10, last).u16(14, last - first + 1).array();
  }

  /** PkgLength and what it measures, itself included (section 20.2.4). */
  private static byte[] lengthOf(byte[] body) {
    int size = body.length;
    if (size + 1 < 1 << 6) {
      return join(bytes(size + 1), body);
    }
    if (size + 2 < 1 << 12) {
      int n = size + 2;
      return join(bytes(0x40 | (n & 15), n >> 4), body);
    }
    int n = size + 3;
    return join(bytes(0x80 | (n & 15), n >> 4, n >> 12), body);
  }

  private static byte[] segment(String name) {
    if (!name.matches("[A-Z_][A-Z0-9_]{0,3}")) {
      throw new IllegalArgumentException("no AML name: " + name);
    }
    return (name + "___").substring(0, 4).getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] bytes(int... values) {
    byte[] result = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = (byte) values[i];
    }
    return result;
  }

  private static byte[] join(byte[]... parts) {
    return join(List.of(parts));
  }

  /** One after the other. */
  static byte[] join(List<byte[]> parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    parts.forEach(all::writeBytes);
    return all.toByteArray();
  }
}
