package dev.troupe.actors.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations: a whole number above 0 with ms, s, m or h; without a unit it counts seconds. */
public final class DurationConverter implements ITypeConverter<Duration> {
  private static final Pattern DURATION = Pattern.compile("([0-9]+)(ms|s|m|h|)");

  /** No guest is waited for longer; a larger figure is a typing error. */
  private static final Duration LONGEST = Duration.ofDays(366);

  @Override
  public Duration convert(String text) {
    Matcher matcher = DURATION.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (matcher.matches()) {
      try {
        Duration duration = duration(Long.parseLong(matcher.group(1)), matcher.group(2));
        if (duration.isPositive() && duration.compareTo(LONGEST) <= 0) {
          return duration;
        }
      } catch (NumberFormatException | ArithmeticException e) {
        // Too large: said below, as for every other text that is no duration.
      }
    }
    throw new TypeConversionException(
        ("'%s' is not a duration (a number above 0 with ms, s, m or h, at most a year;"
                + " seconds without)")
            .formatted(text.replaceAll("\\p{Cntrl}", "?")));
  }

  private static Duration duration(long number, String unit) {
    return switch (unit) {
      case "ms" -> Duration.ofMillis(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      default -> Duration.ofSeconds(number);
    };
  }
}
