package dev.troupe.runtime.journal;

/** Collects records into frames. Not for several threads at once. */
public final class FrameBuilder {
  private final RecordEncoder encoder = new RecordEncoder();
  private long message;
  private Place place = Place.START;

  /** Adds a record. */
  public void add(JournalRecord record) {
    encoder.add(record);
    if (record instanceof JournalRecord.Message(long number, var _, var _, var _, var _)) {
      message = number;
    } else if (record instanceof JournalRecord.Injected injected) {
      message = injected.number();
    } else if (record instanceof JournalRecord.Placed placed) {
      place = placed.place();
    }
  }

  /** True if the frame is long enough to be taken. */
  public boolean full() {
    return encoder.size() >= JournalFormat.FRAME_BYTES;
  }

  public boolean isEmpty() {
    return encoder.size() == 0;
  }

  /** What was added since the last time. */
  public Frame take() {
    return new Frame(encoder.take(), message, place);
  }
}
