package dev.troupe.actors.journal;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.RecordLimits;
import java.util.function.LongFunction;

/**
 * A change of one field of a record, as a user writes it: {@code value=0x41}, {@code high=true},
 * {@code bytes=text}.
 *
 * @param field its name in {@link RecordFields}
 */
public record RecordEdit(String field, String value) {
  /**
   * Reads {@code FIELD=VALUE}; the field may be called {@code payload.FIELD}.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static RecordEdit parse(String text) {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new IllegalArgumentException(
          "'%s', expected FIELD=VALUE such as value=0x41".formatted(text));
    }
    String field = text.substring(0, equals);
    return new RecordEdit(
        field.startsWith("payload.") ? field.substring("payload.".length()) : field,
        text.substring(equals + 1));
  }

  /**
   * The record, changed.
   *
   * @throws IllegalArgumentException if it has no such field, or the field no such value
   */
  public JournalRecord apply(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Message m ->
          new JournalRecord.Message(m.number(), m.from(), m.to(), m.time(), payload(m.message()));
      case JournalRecord.Interrupted(int vcpu, Interrupt interrupt) ->
          new JournalRecord.Interrupted(vcpu, changed(interrupt));
      case JournalRecord.Reply(int vcpu, long _) when field.equals("value") ->
          new JournalRecord.Reply(vcpu, number());
      case JournalRecord.Typed typed when field.equals("bytes") ->
          new JournalRecord.Typed(typed.place(), typed.scripted(), RecordText.bytes(value));
      case JournalRecord.StateHash hash when field.equals("hash") ->
          new JournalRecord.StateHash(hash.place(), Long.parseUnsignedLong(value, 16));
      default -> throw none(RecordFields.kind(record));
    };
  }

  private BoardMessage payload(BoardMessage message) {
    return switch (message) {
      case BoardMessage.IoRead read ->
          switch (field) {
            case "port", "address" -> new BoardMessage.IoRead(read.space(), number(), read.size());
            default -> throw none("IoRead");
          };
      case BoardMessage.IoWrite write ->
          switch (field) {
            case "value" ->
                new BoardMessage.IoWrite(write.space(), write.address(), write.size(), number());
            case "port", "address" ->
                new BoardMessage.IoWrite(write.space(), number(), write.size(), write.value());
            default -> throw none("IoWrite");
          };
      case BoardMessage.LineLevel(int pin, boolean high) ->
          switch (field) {
            case "pin" -> new BoardMessage.LineLevel((int) within(RecordLimits.PINS - 1), high);
            case "high" -> new BoardMessage.LineLevel(pin, flag());
            default -> throw none("LineLevel");
          };
      case BoardMessage.TimerFired(int timer, long deadline) ->
          switch (field) {
            case "timer" ->
                new BoardMessage.TimerFired((int) within(RecordLimits.TIMERS - 1), deadline);
            case "deadline" -> new BoardMessage.TimerFired(timer, number());
            default -> throw none("TimerFired");
          };
      case BoardMessage.InterruptAcknowledge _ ->
          only(
              "vcpu",
              RecordLimits.VCPUS - 1,
              vcpu -> new BoardMessage.InterruptAcknowledge((int) vcpu));
      case BoardMessage.EndOfInterrupt _ ->
          only(
              "vector",
              RecordLimits.VECTORS - 1,
              vector -> new BoardMessage.EndOfInterrupt((int) vector));
      case BoardMessage.ConsoleRoom _ ->
          only("room", Integer.MAX_VALUE, room -> new BoardMessage.ConsoleRoom((int) room));
      case BoardMessage.ConsoleInput _ -> {
        if (!field.equals("bytes")) {
          throw none("ConsoleInput");
        }
        yield new BoardMessage.ConsoleInput(RecordText.bytes(value));
      }
      case BoardMessage.PowerButton _, BoardMessage.Reset _ ->
          throw none(message.getClass().getSimpleName());
    };
  }

  private Interrupt changed(Interrupt interrupt) {
    int vectors = RecordLimits.VECTORS - 1;
    return switch (interrupt) {
      case Interrupt.Intr _ when field.equals("high") -> new Interrupt.Intr(flag());
      case Interrupt.IgnoreNumericError _ when field.equals("high") ->
          new Interrupt.IgnoreNumericError(flag());
      case Interrupt.Fixed(int _, boolean level) when field.equals("vector") ->
          new Interrupt.Fixed((int) within(vectors), level);
      case Interrupt.Fixed(int vector, boolean _) when field.equals("level") ->
          new Interrupt.Fixed(vector, flag());
      case Interrupt.Sipi _ when field.equals("vector") ->
          new Interrupt.Sipi((int) within(vectors));
      default -> throw none(interrupt.getClass().getSimpleName());
    };
  }

  private BoardMessage only(String name, long most, LongFunction<BoardMessage> changed) {
    if (!field.equals(name)) {
      throw new IllegalArgumentException("no field '%s', expected %s".formatted(field, name));
    }
    return changed.apply(within(most));
  }

  private IllegalArgumentException none(String kind) {
    return new IllegalArgumentException("%s has no field '%s'".formatted(kind, field));
  }

  private long within(long most) {
    long number = number();
    if (number < 0 || number > most) {
      throw new IllegalArgumentException("%s=%s, expected 0 to %d".formatted(field, value, most));
    }
    return number;
  }

  private long number() {
    if (!RecordText.isNumber(value)) {
      throw new IllegalArgumentException("%s=%s, expected a number".formatted(field, value));
    }
    return RecordText.number(value);
  }

  private boolean flag() {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(
              "%s=%s, expected true or false".formatted(field, value));
    };
  }
}
