package dev.troupe.actors.fault;

import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordText;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Position;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * One rule, as {@link FaultSyntax} reads it.
 *
 * @param text as the user wrote it
 * @param kinds of messages and interrupts that it is about, by their names
 * @param terms what their fields have to be
 * @param chance how many of {@code outOf} that match have it done to them
 * @param seed of whatever it draws
 * @param limit how often it does it, at most
 */
public record FaultRule(
    String text,
    FaultAction action,
    List<String> kinds,
    Ends ends,
    List<Term> terms,
    Range range,
    int chance,
    int outOf,
    long seed,
    long limit) {
  /** For any sender, receiver or message. */
  static final int ANY = -1;

  public FaultRule {
    kinds = List.copyOf(kinds);
    terms = List.copyOf(terms);
  }

  /** Who sends and who receives, by the numbers of a journal; {@link #ANY} for anybody. */
  public record Ends(int from, int to, int either) {
    boolean hold(int sender, int receiver) {
      return (from == ANY || from == sender)
          && (to == ANY || to == receiver)
          && (either == ANY || either == sender || either == receiver);
    }
  }

  /** A field that has to have a value. */
  public sealed interface Term {
    /** Its name, as {@link RecordFields} has it. */
    String field();

    /** Whether this is the value. */
    boolean holds(Object value);
  }

  /** The field is a number. */
  public record NumberTerm(String field, long number) implements Term {
    @Override
    public boolean holds(Object value) {
      String text = value.toString();
      return RecordText.isNumber(text) && RecordText.number(text) == number;
    }
  }

  /** The field is a flag or a text. */
  public record TextTerm(String field, String text) implements Term {
    @Override
    public boolean holds(Object value) {
      return value.toString().equals(text);
    }
  }

  /**
   * Where a rule holds.
   *
   * @param message the one message; {@link #ANY} for all
   * @param begin holds from its beginning on
   * @param end holds from its end on
   */
  public record Range(long message, Predicate<Position> begin, Predicate<Position> end) {
    boolean holds(Position position) {
      return (message == ANY || message == position.messages())
          && begin.test(position)
          && !end.test(position);
    }
  }

  /**
   * Whether the rule is about this.
   *
   * @param from number of the sender; {@link #ANY} if there is none
   * @param position where the machine is; its message is the last one handled, or this one
   */
  boolean matches(
      JournalRecord.Crossing crossing, int from, int to, Position position, RecordFields fields) {
    return kinds.contains(RecordFields.kind(crossing))
        && ends.hold(from, to)
        && range.holds(position)
        && (terms.isEmpty() || holds(fields.of(crossing)));
  }

  private boolean holds(Map<String, Object> values) {
    for (Term term : terms) {
      Object value = values.get(term.field());
      if (value == null || !term.holds(value)) {
        return false;
      }
    }
    return true;
  }
}
