package dev.troupe.actors.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Sizes in bytes: a number above 0 with K, M, G or T for powers of 1024, in either case; without a
 * letter it counts MiB.
 */
public final class SizeConverter implements ITypeConverter<Long> {
  private static final String UNITS = "KMGT";
  private static final Pattern SIZE = Pattern.compile("([0-9]+)([" + UNITS + "]?)");

  @Override
  public Long convert(String text) {
    Matcher matcher = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (matcher.matches()) {
      int power = matcher.group(2).isEmpty() ? 2 : UNITS.indexOf(matcher.group(2)) + 1;
      try {
        long bytes = Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * power));
        if (bytes > 0) {
          return bytes;
        }
      } catch (NumberFormatException | ArithmeticException e) {
        // Too large: said below, as for every other text that is no size.
      }
    }
    throw new TypeConversionException(
        "'%s' is not a size (a number above 0 with K, M, G or T; MiB without)"
            .formatted(text.replaceAll("\\p{Cntrl}", "?")));
  }
}
