package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.DurationConverter;
import dev.troupe.actors.machine.Checkpoints;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How often checkpoints are saved: {@code i:N} instructions, a duration, or {@code off}. */
final class IntervalConverter implements ITypeConverter<Checkpoints.Interval> {
  /** Less, and a machine does little but save itself. */
  private static final long LEAST = 1000;

  @Override
  public Checkpoints.Interval convert(String text) {
    if (text.equals("off")) {
      return new Checkpoints.Interval(0, 0);
    }
    if (text.matches("i:\\d{1,18}")) {
      long instructions = Long.parseLong(text.substring(2));
      if (instructions >= LEAST) {
        return new Checkpoints.Interval(instructions, 0);
      }
    }
    try {
      return Checkpoints.Interval.of(new DurationConverter().convert(text));
    } catch (TypeConversionException e) {
      throw new TypeConversionException(
          "'%s' is no interval, expected i:N instructions from %d on, a duration such as 5s, or off"
              .formatted(text.replaceAll("\\p{Cntrl}", "?"), LEAST));
    }
  }
}
