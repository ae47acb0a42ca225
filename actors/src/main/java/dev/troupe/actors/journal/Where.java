package dev.troupe.actors.journal;

import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.TurnRules;
import java.util.function.Predicate;

/**
 * A place that a user names: {@code m:N} messages, {@code i:N} instructions, {@code t:D} virtual
 * time. Holds for positions that have come so far.
 */
public sealed interface Where extends Predicate<Position> {
  /** Units that a machine has to retire at least before this holds; 0 if it does. */
  long units(Position now);

  /** So many messages have been handled. */
  record Messages(long count) implements Where {
    @Override
    public String toString() {
      return "m:" + count;
    }

    @Override
    public boolean test(Position position) {
      return position.messages() >= count;
    }

    /** Any instruction may bring the message. */
    @Override
    public long units(Position now) {
      return test(now) ? 0 : Long.MAX_VALUE;
    }
  }

  /** So many instructions have been retired. */
  record Instructions(long count) implements Where {
    @Override
    public String toString() {
      return "i:" + count;
    }

    @Override
    public boolean test(Position position) {
      return position.instructions() >= count;
    }

    @Override
    public long units(Position now) {
      return Math.max(0, count - now.instructions());
    }
  }

  /** So much virtual time has gone. */
  record Nanos(long count) implements Where {
    @Override
    public String toString() {
      return "t:" + count + "ns";
    }

    @Override
    public boolean test(Position position) {
      return position.nanos() >= count;
    }

    @Override
    public long units(Position now) {
      return Math.max(0, Math.ceilDiv(count - now.nanos(), TurnRules.NANOS_PER_UNIT));
    }
  }

  /**
   * Reads a place.
   *
   * @throws IllegalArgumentException if the text is none
   */
  static Where parse(String text) {
    if (text.matches("[mi]:\\d{1,18}")) {
      long count = Long.parseLong(text.substring(2));
      return text.startsWith("m") ? new Messages(count) : new Instructions(count);
    }
    if (text.startsWith("t:") && VirtualTime.isTime(text.substring(2))) {
      return new Nanos(VirtualTime.nanos(text.substring(2)));
    }
    throw new IllegalArgumentException(
        "'%s' is no position, expected m:N, i:N or t:D such as t:2.5s".formatted(text));
  }
}
