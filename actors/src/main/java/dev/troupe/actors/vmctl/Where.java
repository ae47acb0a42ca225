package dev.troupe.actors.vmctl;

import dev.troupe.runtime.machine.Position;
import java.util.function.Predicate;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A place that a user names: {@code m:N} messages, {@code i:N} instructions, {@code t:D} virtual
 * time. Holds for positions that have come so far.
 */
sealed interface Where extends Predicate<Position> {
  /** So many messages have been handled. */
  record Messages(long count) implements Where {
    @Override
    public boolean test(Position position) {
      return position.messages() >= count;
    }
  }

  /** So many instructions have been retired. */
  record Instructions(long count) implements Where {
    @Override
    public boolean test(Position position) {
      return position.instructions() >= count;
    }
  }

  /** So much virtual time has gone. */
  record Nanos(long count) implements Where {
    @Override
    public boolean test(Position position) {
      return position.nanos() >= count;
    }
  }

  /** For picocli. */
  final class Converter implements ITypeConverter<Where> {
    @Override
    public Where convert(String text) {
      if (text.matches("m:\\d{1,18}")) {
        return new Messages(Long.parseLong(text.substring(2)));
      }
      try {
        var position = InputScript.Position.parse(text);
        return text.startsWith("i:")
            ? new Instructions(position.instructions())
            : new Nanos(position.nanos());
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(
            "'%s' is no position, expected m:N, i:N or t:D such as t:2.5s".formatted(text));
      }
    }
  }
}
