package dev.troupe.actors.journal;

import dev.troupe.runtime.journal.JournalRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Records that a user describes: {@code to=pic kind=LineLevel pin=0}. All fields named must have
 * the value named; {@code actor} is either end of a message. Numbers may be in hexadecimal.
 */
public final class RecordFilter implements Predicate<JournalRecord> {
  private record Term(String name, String value) {}

  private final RecordFields fields;
  private final List<Term> terms = new ArrayList<>();

  /**
   * A filter by terms separated by blanks; none lets everything through.
   *
   * @throws IllegalArgumentException if a term is none
   */
  public RecordFilter(RecordFields fields, String text) {
    this.fields = fields;
    for (String term : text.isBlank() ? new String[0] : text.strip().split("\\s+")) {
      int equals = term.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException(
            "'%s' is no condition, expected FIELD=VALUE such as to=pic".formatted(term));
      }
      terms.add(new Term(term.substring(0, equals), term.substring(equals + 1)));
    }
  }

  @Override
  public boolean test(JournalRecord record) {
    if (terms.isEmpty()) {
      return true;
    }
    Map<String, Object> values = fields.of(record);
    return terms.stream().allMatch(term -> holds(term, values));
  }

  private static boolean holds(Term term, Map<String, Object> values) {
    if (term.name.equals("actor")) {
      return term.value.equals(values.get("from")) || term.value.equals(values.get("to"));
    }
    Object value = values.get(term.name);
    return value != null
        && (value.toString().equalsIgnoreCase(term.value)
            || (RecordText.isNumber(term.value)
                && RecordText.isNumber(value.toString())
                && RecordText.number(value.toString()) == RecordText.number(term.value)));
  }
}
