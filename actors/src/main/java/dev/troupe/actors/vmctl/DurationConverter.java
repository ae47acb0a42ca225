package dev.troupe.actors.vmctl;

import java.time.Duration;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations: a whole number with ms, s, m or h; without a unit it counts seconds. */
final class DurationConverter implements ITypeConverter<Duration> {
  /** No guest is waited for longer; a larger figure is a typing error. */
  private static final long MAX_HOURS = 24L * 366;

  @Override
  public Duration convert(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    int digits = 0;
    while (digits < lower.length() && Character.isDigit(lower.charAt(digits))) {
      digits++;
    }
    try {
      long number = Long.parseLong(lower.substring(0, digits));
      Duration duration =
          switch (lower.substring(digits)) {
            case "ms" -> Duration.ofMillis(number);
            case "", "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> null;
          };
      if (duration != null
          && !duration.isZero()
          && duration.compareTo(Duration.ofHours(MAX_HOURS)) <= 0) {
        return duration;
      }
    } catch (NumberFormatException | ArithmeticException e) {
      // Said below, as for every other text that is no duration.
    }
    throw new TypeConversionException(
        "'" + text + "' is not a duration (a number above 0 with ms, s, m or h; seconds without)");
  }
}
