package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Output;
import dev.troupe.actors.journal.JsonLines;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.runtime.journal.JournalRecord;
import java.io.IOException;
import java.io.PrintStream;

/** Prints records to standard output, each a line of text or of JSON. */
final class RecordPrinter implements AutoCloseable {
  /** Records between two looks whether anybody reads on. */
  private static final int LOOK = 1000;

  private final RecordFields fields;
  private final PrintStream out = Output.buffered();

  /** Null for text. */
  private final JsonLines json;

  private long printed;

  RecordPrinter(RecordFields fields, ReportFormat format) {
    this.fields = fields;
    json = format.isJson() ? new JsonLines(out) : null;
  }

  /** Prints one; false if nobody reads any more. */
  boolean print(JournalRecord record) {
    if (json != null) {
      json.write(fields.of(record));
    } else {
      out.println(fields.line(record));
    }
    return ++printed % LOOK != 0 || !out.checkError();
  }

  @Override
  public void close() throws IOException {
    if (json != null) {
      json.close();
    }
    out.flush();
  }
}
