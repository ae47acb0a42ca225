package dev.troupe.runtime.journal;

import dev.troupe.runtime.machine.Position;
import java.util.ArrayList;
import java.util.List;

/** Where a journal's frames are, and what was the case where each begins. */
final class JournalIndex {
  /**
   * A frame of records.
   *
   * @param offset in the file
   * @param message number of the last message before it
   * @param place the last that was recorded before it
   */
  record Entry(long offset, long message, Place place) {}

  private JournalIndex() {}

  static byte[] write(List<Entry> entries) {
    RecordOutput out = new RecordOutput(16 * entries.size() + 16);
    out.unsigned(entries.size());
    long offset = 0;
    for (Entry entry : entries) {
      out.unsigned(entry.offset - offset);
      out.unsigned(entry.message);
      out.unsigned(entry.place.turn());
      out.unsigned(entry.place.position().instructions());
      out.unsigned(entry.place.position().messages());
      out.unsigned(entry.place.position().nanos());
      offset = entry.offset;
    }
    return out.toByteArray();
  }

  /**
   * Reads an index.
   *
   * @throws RecordInput.Malformed if it is none
   */
  static List<Entry> parse(byte[] bytes) {
    RecordInput in = new RecordInput(bytes);
    int count = in.within("frames", 0, JournalFormat.MAX_FRAMES);
    List<Entry> entries = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < count; i++) {
      offset += in.unsigned();
      long message = in.unsigned();
      long turn = in.unsigned();
      var position = new Position(in.unsigned(), in.unsigned(), in.unsigned());
      entries.add(new Entry(offset, message, new Place(turn, position)));
    }
    return entries;
  }
}
