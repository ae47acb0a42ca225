package dev.troupe.actors.journal;

import dev.troupe.runtime.journal.JournalRecord;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A journal as a trace for Chrome's and Perfetto's viewers ("Trace Event Format", JSON object
 * form): a track for each actor, an instant for each message in the track of whoever got it. Time
 * is virtual; it never goes back in a track.
 */
public final class ChromeTrace implements Closeable {
  private static final int MACHINE = 0;

  /** As of a vCPU that the header does not name. */
  private static final int NO_TRACK = -1;

  private final JsonGenerator json;
  private final RecordFields fields;
  private final List<String> actors;

  /** By actor: the time of its last event, nanoseconds. */
  private final long[] last;

  private long now;

  /** Writes to this stream, which is flushed at the end and not closed. */
  public ChromeTrace(List<String> actors, OutputStream out) {
    this.actors = List.copyOf(actors);
    last = new long[actors.size()];
    fields = new RecordFields(actors);
    json =
        JsonFactory.builder()
            .build()
            .createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
    json.writeStartObject();
    json.writeArrayPropertyStart("traceEvents");
    for (int track = 0; track < actors.size(); track++) {
      name(track);
    }
  }

  private void name(int track) {
    json.writeStartObject();
    json.writeStringProperty("name", "thread_name");
    json.writeStringProperty("ph", "M");
    json.writeNumberProperty("ts", 0);
    json.writeNumberProperty("pid", 1);
    json.writeNumberProperty("tid", track);
    json.writeObjectPropertyStart("args");
    json.writeStringProperty("name", actors.get(track));
    json.writeEndObject();
    json.writeEndObject();
  }

  /** Adds a record. */
  public void write(JournalRecord record) {
    int track = track(record);
    if (track < 0) {
      return;
    }
    last[track] = Math.max(last[track], now);
    Map<String, Object> arguments = fields.of(record);
    json.writeStartObject();
    json.writeStringProperty("name", arguments.remove("kind").toString());
    json.writeStringProperty("ph", "i");
    json.writeStringProperty("s", "t");
    json.writeNumberProperty("ts", last[track] / 1000.0); // microseconds
    json.writeNumberProperty("pid", 1);
    json.writeNumberProperty("tid", track);
    json.writeObjectPropertyStart("args");
    arguments.forEach((name, value) -> json.writeStringProperty(name, value.toString()));
    json.writeEndObject();
    json.writeEndObject();
  }

  private int track(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Message message -> {
        now = Math.max(now, message.time());
        yield message.to();
      }
      case JournalRecord.Placed placed -> {
        now = Math.max(now, placed.place().position().nanos());
        yield MACHINE;
      }
      case JournalRecord.Reply reply -> actors.indexOf("vcpu" + reply.vcpu());
      case JournalRecord.Interrupted interrupted -> actors.indexOf("vcpu" + interrupted.vcpu());
      case JournalRecord.Schedule _ -> NO_TRACK; // a turn is no event of the guest's
      case JournalRecord.Injected injected -> track(injected.victim());
    };
  }

  @Override
  public void close() throws IOException {
    json.writeEndArray();
    json.writeStringProperty("displayTimeUnit", "ns");
    json.writeEndObject();
    json.flush();
  }
}
