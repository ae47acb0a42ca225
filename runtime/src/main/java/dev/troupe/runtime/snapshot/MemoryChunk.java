package dev.troupe.runtime.snapshot;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * One MiB of guest RAM in a snapshot:
 *
 * <pre>
 * number of the first page, a multiple of 256 (8 bytes)
 * which of the 256 pages follow: a bit each, from the lowest (32)
 * length of the compressed pages (4), CRC-32C of the chunk from its start to here and of them (4)
 * the pages, one after the other, as one zstd frame
 * </pre>
 *
 * <p>One object serves one file; its buffers are outside the heap.
 */
final class MemoryChunk implements AutoCloseable {
  static final int PAGES = 256;
  static final int HEAD_BYTES = 48;

  private static final int BITMAP_AT = 8;
  private static final int LENGTH_AT = 40;
  private static final int CHECKSUM_AT = 44;
  private static final int RAW_BYTES = PAGES * GuestMemory.PAGE_SIZE;

  /** Fast; memory compresses by two to four times at any level. */
  private static final int LEVEL = 1;

  /** The longest that a chunk's compressed pages can be. */
  static final int MAX_PAYLOAD_BYTES = (int) Zstd.compressBound(RAW_BYTES);

  private final ByteBuffer pages = ByteBuffer.allocateDirect(RAW_BYTES);
  private final long pagesAddress = MemorySegment.ofBuffer(pages).address();
  private final ByteBuffer head =
      ByteBuffer.allocateDirect(HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer payload = ByteBuffer.allocateDirect(MAX_PAYLOAD_BYTES);
  private final ZstdCompressCtx compressor = new ZstdCompressCtx().setLevel(LEVEL);
  private final ZstdDecompressCtx decompressor = new ZstdDecompressCtx();

  /**
   * Takes up pages from {@code first} on.
   *
   * @param changed which pages, zero or not; empty for all that are not zero
   * @return false if there are none
   */
  boolean gather(GuestMemory memory, long first, Optional<BitSet> changed) {
    head.clear();
    head.putLong(0, first);
    int count = 0;
    for (int word = 0; word < PAGES / 64; word++) {
      long bits = 0;
      for (int bit = 0; bit < 64; bit++) {
        long page = first + 64L * word + bit;
        if (page < memory.pages() && isWanted(memory, page, changed)) {
          bits |= 1L << bit;
          Raw.copy(
              memory.pageAddress(page),
              pagesAddress + (long) count++ * GuestMemory.PAGE_SIZE,
              GuestMemory.PAGE_SIZE);
        }
      }
      head.putLong(BITMAP_AT + 8 * word, bits);
    }
    if (count == 0) {
      return false;
    }
    pages.clear().limit(count * GuestMemory.PAGE_SIZE);
    payload.clear();
    int length =
        compressor.compressDirectByteBuffer(payload, 0, MAX_PAYLOAD_BYTES, pages, 0, pages.limit());
    payload.limit(length);
    head.putInt(LENGTH_AT, length);
    head.putInt(CHECKSUM_AT, checksum());
    return true;
  }

  private static boolean isWanted(GuestMemory memory, long page, Optional<BitSet> changed) {
    return changed.isPresent()
        ? changed.get().get((int) page)
        : memory.isTouched(page) && !isZero(memory.pageAddress(page));
  }

  private static boolean isZero(long host) {
    for (long at = host; at < host + GuestMemory.PAGE_SIZE; at += 32) {
      if ((Raw.get64(at) | Raw.get64(at + 8) | Raw.get64(at + 16) | Raw.get64(at + 24)) != 0) {
        return false;
      }
    }
    return true;
  }

  /** The chunk's first bytes; whole after {@link #gather}, to be filled before {@link #length}. */
  ByteBuffer head() {
    return head.clear();
  }

  /** The compressed pages; to be filled after {@link #prepare}. */
  ByteBuffer payload() {
    return payload.position(0);
  }

  /** Bytes of the compressed pages, as the head says it; not checked. */
  long length() {
    return Integer.toUnsignedLong(head.getInt(LENGTH_AT));
  }

  /** Makes room for as many bytes of compressed pages as {@link #length} says, which is checked. */
  void prepare() {
    payload.clear().limit((int) length());
  }

  long first() {
    return head.getLong(0);
  }

  /** Whether the head is one for this memory: see the description of the chunk. */
  boolean fits(GuestMemory memory) {
    long first = first();
    if (first % PAGES != 0 || first < 0 || first >= memory.pages()) {
      return false;
    }
    int count = count();
    long last = -1;
    for (int i = 0; i < PAGES; i++) {
      last = has(i) ? first + i : last;
    }
    return count > 0 && last < memory.pages();
  }

  private boolean has(int page) {
    return (head.getLong(BITMAP_AT + 8 * (page >> 6)) >>> page & 1) != 0;
  }

  private int count() {
    int count = 0;
    for (int word = 0; word < PAGES / 64; word++) {
      count += Long.bitCount(head.getLong(BITMAP_AT + 8 * word));
    }
    return count;
  }

  /** What the head says the checksum is. */
  int storedChecksum() {
    return head.getInt(CHECKSUM_AT);
  }

  /** The checksum of what the head and the payload hold. */
  int checksum() {
    CRC32C crc = new CRC32C();
    crc.update(head.duplicate().position(0).limit(CHECKSUM_AT));
    crc.update(payload.duplicate().position(0));
    return (int) crc.getValue();
  }

  /** Decompresses; false if the payload is not what the bitmap says. */
  boolean expand() {
    int expected = count() * GuestMemory.PAGE_SIZE;
    try {
      pages.clear();
      return decompressor.decompressDirectByteBuffer(
              pages, 0, expected, payload, 0, payload.limit())
          == expected;
    } catch (ZstdException e) {
      return false;
    }
  }

  /** What the pages add to the memory's digest. */
  long digest() {
    long sum = 0;
    int number = 0;
    for (int i = 0; i < PAGES; i++) {
      if (has(i)) {
        long host = pagesAddress + (long) number++ * GuestMemory.PAGE_SIZE;
        sum += MemoryDigest.contribution(first() + i, host);
      }
    }
    return sum;
  }

  /** Puts the pages in their place. */
  void scatter(GuestMemory memory) {
    int number = 0;
    for (int i = 0; i < PAGES; i++) {
      if (has(i)) {
        long host = memory.pageAddress(first() + i);
        memory.markDirty(host);
        Raw.copy(
            pagesAddress + (long) number++ * GuestMemory.PAGE_SIZE, host, GuestMemory.PAGE_SIZE);
        memory.written(host, GuestMemory.PAGE_SIZE);
      }
    }
  }

  @Override
  public void close() {
    compressor.close();
    decompressor.close();
  }
}
