package dev.troupe.privileged.rows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/** Machine code at a known address, written down by hand. */
final class Assembler {
  private final ByteBuffer image;
  private final int origin;

  /**
   * Writes into an image.
   *
   * @param origin the address of the image's first byte
   */
  Assembler(ByteBuffer image, int origin) {
    this.image = image.order(ByteOrder.LITTLE_ENDIAN);
    this.origin = origin;
  }

  /** Continues at this address. */
  Assembler at(int address) {
    image.position(address - origin);
    return this;
  }

  /** The address of what comes next. */
  int here() {
    return origin + image.position();
  }

  /** Bytes in hexadecimal, with or without spaces. */
  Assembler hex(String bytes) {
    return raw(HexFormat.of().parseHex(bytes.replace(" ", "")));
  }

  Assembler raw(byte[] bytes) {
    image.put(bytes);
    return this;
  }

  Assembler word(int value) {
    image.putShort((short) value);
    return this;
  }

  Assembler dword(int value) {
    image.putInt(value);
    return this;
  }

  Assembler qword(long value) {
    image.putLong(value);
    return this;
  }

  /** {@code mov r64, imm64}; register 0 to 15. */
  Assembler load(int register, long value) {
    image.put((byte) (register < 8 ? 0x48 : 0x49)).put((byte) (0xB8 + (register & 7)));
    return qword(value);
  }

  /** {@code jmp rel32}. */
  Assembler jump(int target) {
    hex("e9");
    return dword(target - here() - 4);
  }
}
