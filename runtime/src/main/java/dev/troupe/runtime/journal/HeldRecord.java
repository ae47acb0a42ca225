package dev.troupe.runtime.journal;

import java.util.Optional;

/** One record by itself as bytes, for what is kept outside a journal. */
public final class HeldRecord {
  /** Most bytes of one: the largest input, and what stands beside it. */
  public static final int MAX_BYTES = JournalFormat.MAX_INPUT_BYTES + 1024;

  private HeldRecord() {}

  /** The record as bytes. */
  public static byte[] bytes(JournalRecord record) {
    RecordEncoder encoder = new RecordEncoder();
    encoder.add(record);
    return encoder.take();
  }

  /**
   * The message or interrupt in these bytes, of unknown origin.
   *
   * @param actors how many the machine has
   * @return empty if they are none, or more
   */
  public static Optional<JournalRecord.Crossing> parse(byte[] bytes, int actors) {
    try {
      RecordDecoder decoder = new RecordDecoder(bytes, actors);
      return decoder.next() instanceof JournalRecord.Crossing crossing && decoder.atEnd()
          ? Optional.of(crossing)
          : Optional.empty();
    } catch (RecordInput.Malformed e) {
      return Optional.empty();
    }
  }
}
