package dev.troupe.runtime.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The first bytes of a frame; see {@link JournalFormat}.
 *
 * @param raw bytes of its records
 * @param stored bytes that follow the head
 */
record FrameHead(int kind, long sequence, int raw, int stored, int checksum) {
  /** The head of what is stored so, with its checksum. */
  static ByteBuffer write(int kind, long sequence, int raw, ByteBuffer stored) {
    ByteBuffer head =
        ByteBuffer.allocate(JournalFormat.FRAME_HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(JournalFormat.FRAME_MARK).putInt(kind).putLong(sequence);
    head.putInt(raw).putInt(stored.remaining());
    head.putInt(JournalFormat.checksum(head.duplicate().flip(), stored));
    return head.flip();
  }

  /**
   * A head, its fields checked one by one.
   *
   * @param bytes as many as a head has, little-endian
   * @throws RecordInput.Malformed if it is none
   */
  static FrameHead parse(ByteBuffer bytes) {
    int mark = bytes.getInt(0);
    if (mark != JournalFormat.FRAME_MARK) {
      throw new RecordInput.Malformed(
          "no frame: %08x, expected %08x".formatted(mark, JournalFormat.FRAME_MARK));
    }
    FrameHead head =
        new FrameHead(
            bytes.getInt(4),
            bytes.getLong(8),
            bytes.getInt(16),
            bytes.getInt(20),
            bytes.getInt(JournalFormat.CHECKSUM_AT));
    if (head.kind != JournalFormat.KIND_RECORDS && head.kind != JournalFormat.KIND_INDEX) {
      throw new RecordInput.Malformed("frame of kind " + head.kind + ", expected 1 or 2");
    }
    check("length of the records", head.raw, JournalFormat.MAX_RAW_BYTES);
    check("stored length", head.stored, JournalFormat.MAX_STORED_BYTES);
    return head;
  }

  private static void check(String what, int value, int most) {
    if (value < 0 || value > most) {
      throw new RecordInput.Malformed(
          "%s: %s, expected at most %d".formatted(what, Integer.toUnsignedString(value), most));
    }
  }
}
