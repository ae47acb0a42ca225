package dev.troupe.runtime.boot;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A file from outside, read with bounds: every access names what it was for, and one that is beyond
 * the end says so. Values are little-endian and unsigned.
 *
 * @param name how messages call it, usually its path
 * @param bytes the whole content, not copied
 */
public record Image(String name, MemorySegment bytes) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** An image of bytes at hand. */
  public static Image of(String name, byte[] bytes) {
    return new Image(name, MemorySegment.ofArray(bytes));
  }

  /**
   * Maps a file for reading, for as long as {@code arena} lives.
   *
   * @param what what the user called it: {@code kernel}, {@code initrd}
   * @param files opens it
   * @throws BadImageException if it is not there, not readable or no regular file
   */
  public static Image map(String what, Path file, ImageFiles files, Arena arena) {
    try (FileChannel channel = files.open(what, file)) {
      long size = channel.size();
      return new Image(
          file.toString(),
          size == 0
              ? MemorySegment.ofArray(new byte[0])
              : channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena));
    } catch (IOException e) {
      throw new BadImageException(what + " " + file + ": cannot be read: " + reason(e), e);
    }
  }

  private static String reason(IOException e) {
    return e instanceof java.nio.file.AccessDeniedException ? "permission denied" : e.getMessage();
  }

  /** Length in bytes. */
  public long size() {
    return bytes.byteSize();
  }

  /**
   * Whether the {@code length} bytes at {@code offset} are all inside the file; any values are
   * allowed.
   */
  public boolean has(long offset, long length) {
    return offset >= 0 && length >= 0 && offset <= size() && length <= size() - offset;
  }

  /** The byte at {@code offset}, 0 to 255. */
  public int u8(long offset, String what) {
    need(offset, 1, what);
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, offset));
  }

  /** The 16-bit value at {@code offset}. */
  public int u16(long offset, String what) {
    need(offset, 2, what);
    return Short.toUnsignedInt(bytes.get(SHORT, offset));
  }

  /** The 32-bit value at {@code offset}, zero-extended. */
  public long u32(long offset, String what) {
    need(offset, 4, what);
    return Integer.toUnsignedLong(bytes.get(INT, offset));
  }

  /** The 64-bit value at {@code offset}; negative means 2<sup>63</sup> or more. */
  public long u64(long offset, String what) {
    need(offset, 8, what);
    return bytes.get(LONG, offset);
  }

  /** The {@code length} bytes at {@code offset}, not copied. */
  public MemorySegment slice(long offset, long length, String what) {
    need(offset, length, what);
    return bytes.asSlice(offset, length);
  }

  /** Whether the ASCII text {@code magic} stands at {@code offset}; false beyond the end. */
  public boolean startsWith(long offset, String magic) {
    byte[] wanted = magic.getBytes(StandardCharsets.ISO_8859_1);
    return has(offset, wanted.length)
        && MemorySegment.mismatch(
                bytes,
                offset,
                offset + wanted.length,
                MemorySegment.ofArray(wanted),
                0,
                wanted.length)
            == -1;
  }

  /** An exception whose message begins with this image's name. */
  public BadImageException bad(String message) {
    return new BadImageException(name + ": " + message);
  }

  private void need(long offset, long length, String what) {
    if (!has(offset, length)) {
      throw bad(
          "truncated: %s needs %s bytes at offset 0x%x, the file has %d bytes"
              .formatted(what, Long.toUnsignedString(length), offset, size()));
    }
  }
}
