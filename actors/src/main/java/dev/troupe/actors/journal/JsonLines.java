package dev.troupe.actors.journal;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes records as JSON, an object a line. */
public final class JsonLines implements Closeable {
  private final JsonGenerator json;

  /** Writes to this stream, which is flushed at the end and not closed. */
  public JsonLines(OutputStream out) {
    JsonFactory factory = JsonFactory.builder().rootValueSeparator("\n").build();
    json = factory.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
  }

  /**
   * Writes an object.
   *
   * @param fields a record's, or others: numbers, flags, objects as maps, and text
   */
  public void write(Map<String, Object> fields) {
    object(fields);
  }

  private void object(Map<?, ?> fields) {
    json.writeStartObject();
    fields.forEach((name, value) -> field(name.toString(), value));
    json.writeEndObject();
  }

  private void field(String name, Object value) {
    switch (value) {
      case Long number -> json.writeNumberProperty(name, number);
      case Integer number -> json.writeNumberProperty(name, number);
      case Map<?, ?> inner -> {
        json.writeName(name);
        object(inner);
      }
      case Boolean flag -> json.writeBooleanProperty(name, flag);
      default -> json.writeStringProperty(name, value.toString());
    }
  }

  @Override
  public void close() throws IOException {
    json.writeRaw('\n');
    json.flush();
  }
}
