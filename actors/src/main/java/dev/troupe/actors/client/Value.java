package dev.troupe.actors.client;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** What a command has to tell a program: data with keys that stay. */
sealed interface Value {
  /** Nothing is known. */
  record None() implements Value {}

  record Text(String text) implements Value {}

  /** A whole number, or one with a fraction, as it is written. */
  record Digits(String digits) implements Value {}

  record Flag(boolean set) implements Value {}

  record Items(List<Value> items) implements Value {}

  record Fields(SequencedMap<String, Value> fields) implements Value {}

  Value NONE = new None();

  /** A text; an empty one is nothing. */
  static Value text(String text) {
    return text.isEmpty() ? NONE : new Text(text);
  }

  /** A number without a sign. */
  static Value number(long unsigned) {
    return new Digits(Long.toUnsignedString(unsigned));
  }

  /** A time, in UTC; 0 is nothing. */
  static Value time(long millis) {
    return millis == 0 ? NONE : new Text(Instant.ofEpochMilli(millis).toString());
  }

  static Value texts(List<String> texts) {
    List<Value> items = new ArrayList<>();
    texts.forEach(text -> items.add(new Text(text)));
    return new Items(items);
  }

  /** By key. */
  static Value texts(Map<String, String> texts) {
    FieldsBuilder fields = new FieldsBuilder();
    texts.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> fields.put(e.getKey(), new Text(e.getValue())));
    return fields.build();
  }

  /** Fields in the order in which they are put. */
  final class FieldsBuilder {
    private final SequencedMap<String, Value> fields = new LinkedHashMap<>();

    FieldsBuilder put(String key, Value value) {
      fields.put(key, value);
      return this;
    }

    Fields build() {
      return new Fields(fields);
    }
  }
}
