package dev.troupe.runtime.journal;

import com.github.luben.zstd.Zstd;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A journal's file. All fixed numbers are little-endian:
 *
 * <pre>
 * magic (8 bytes), format (4), length of the header (4), CRC-32C of the header (4), 0 (4)
 * header: a JournalHeader (protobuf)
 * frames, each:
 *   mark (4), kind (4), sequence number from 0 (8), length of the records (4), stored length (4),
 *   CRC-32C of the head up to here and of what is stored (4)
 *   the records, as one zstd frame
 * the last frame holds the index: for each other frame its offset, and where the run was
 * offset of the index (8), CRC-32C of the offset (4), 0 (4), end mark (8)
 * </pre>
 *
 * <p>A frame can be read without those before it. A file without its end, because the recorder was
 * killed or the file was cut, is read to its last whole frame.
 */
final class JournalFormat {
  /** The format that is written, and the newest that is read. */
  static final int FORMAT = 1;

  static final long MAGIC = ascii("TROUPEJN");
  static final long END = ascii("TROUPEJE");
  static final int FRAME_MARK = 0x464A_5254; // "TRJF"
  static final int PROLOGUE_BYTES = 24;
  static final int FRAME_HEAD_BYTES = 28;
  static final int CHECKSUM_AT = 24;
  static final int TRAILER_BYTES = 24;

  static final int KIND_RECORDS = 1;
  static final int KIND_INDEX = 2;

  /** A spec with a long command line, the images' paths and the actors' names. */
  static final int MAX_HEADER_BYTES = 1 << 20;

  /** What one input can bring: a script of inputs holds at most 16 MiB. */
  static final int MAX_INPUT_BYTES = 16 << 20;

  /** Records of one frame: the largest input, and a frame that was nearly full before it. */
  static final int MAX_RAW_BYTES = MAX_INPUT_BYTES + (1 << 20);

  static final int MAX_STORED_BYTES = (int) Zstd.compressBound(MAX_RAW_BYTES);

  /** A frame is ended when it has so much: some thousand messages. */
  static final int FRAME_BYTES = 64 << 10;

  /** Frames that an index may list: 64 GiB of records. */
  static final int MAX_FRAMES = 1 << 20;

  /** Actors: 64 vCPUs, and far more devices than boards have. */
  static final int MAX_ACTORS = 1024;

  /** A checkpoint's file name, an outcome. */
  static final int MAX_TEXT_BYTES = 4096;

  private JournalFormat() {}

  private static long ascii(String text) {
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value |= (long) text.charAt(i) << (8 * i);
    }
    return value;
  }

  /** CRC-32C of these bytes, one after the other. */
  static int checksum(ByteBuffer... parts) {
    CRC32C crc = new CRC32C();
    for (ByteBuffer part : parts) {
      crc.update(part.duplicate());
    }
    return (int) crc.getValue();
  }
}
