package dev.troupe.actors.journal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of virtual time as users write them: {@code 2.5s}, {@code 300us}. */
public final class VirtualTime {
  private static final Pattern TIME = Pattern.compile("(\\d{1,18})(?:\\.(\\d{1,9}))?(ns|us|ms|s)");

  private VirtualTime() {}

  /** Whether a text is such a length. */
  public static boolean isTime(String text) {
    return TIME.matcher(text).matches();
  }

  /**
   * The nanoseconds of such a length.
   *
   * @throws IllegalArgumentException if it is none, or more than 292 years
   */
  public static long nanos(String text) {
    Matcher time = TIME.matcher(text);
    if (!time.matches()) {
      throw new IllegalArgumentException(text);
    }
    long unit =
        switch (time.group(3)) {
          case "ns" -> 1;
          case "us" -> 1_000;
          case "ms" -> 1_000_000;
          default -> 1_000_000_000;
        };
    try {
      long whole = Math.multiplyExact(Long.parseLong(time.group(1)), unit);
      String fraction = time.group(2) == null ? "" : time.group(2);
      double part = fraction.isEmpty() ? 0 : Double.parseDouble("0." + fraction) * unit;
      return Math.addExact(whole, Math.round(part));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'" + text + "' is more than 292 years", e);
    }
  }
}
