package dev.troupe.actors.vmctl;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Sizes in bytes: a number with K, M, G or T for powers of 1024, in either case; without a letter
 * it counts MiB.
 */
final class SizeConverter implements ITypeConverter<Long> {
  private static final String UNITS = "KMGT";

  @Override
  public Long convert(String text) {
    String number = text.strip().toUpperCase(Locale.ROOT);
    int power = 2;
    if (!number.isEmpty()) {
      int unit = UNITS.indexOf(number.charAt(number.length() - 1));
      if (unit >= 0) {
        power = unit + 1;
        number = number.substring(0, number.length() - 1);
      }
    }
    try {
      long bytes = Long.parseLong(number);
      for (int i = 0; i < power; i++) {
        bytes = Math.multiplyExact(bytes, 1024L);
      }
      return bytes;
    } catch (NumberFormatException | ArithmeticException e) {
      throw new TypeConversionException(
          "'" + text + "' is not a size (a number with K, M, G or T; MiB without)");
    }
  }
}
