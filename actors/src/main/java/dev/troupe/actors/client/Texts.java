package dev.troupe.actors.client;

import java.time.Duration;
import java.util.Locale;

/** Figures for people. */
final class Texts {
  private static final String UNITS = "BKMGTPE";

  private Texts() {}

  /** Bytes as fmt_scaled(3) has them: 512M, 1.5G; a dash for none. */
  static String memory(long bytes) {
    if (bytes == 0) {
      return "-";
    }
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.length() - 1) {
      value /= 1024;
      unit++;
    }
    String digits =
        value == Math.rint(value) || value >= 100
            ? String.format(Locale.ROOT, "%.0f", value)
            : String.format(Locale.ROOT, "%.1f", value);
    return digits + UNITS.charAt(unit);
  }

  /** A length of time as ps(1) has it: minutes and seconds, then hours and days. */
  static String time(Duration time) {
    long seconds = time.toSeconds();
    long days = seconds / 86_400;
    String clock =
        seconds < 3600
            ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
            : String.format(
                Locale.ROOT, "%d:%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    return days == 0 ? clock : days + "-" + clock;
  }
}
