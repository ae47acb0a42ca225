package dev.troupe.runtime.device.rtc;

/**
 * Seconds since 1970-01-01 00:00 and civil dates, proleptic Gregorian, without time zones; after
 * Howard Hinnant's "chrono-compatible low-level date algorithms".
 */
final class Calendar {
  static final int SECONDS_PER_DAY = 86_400;

  private static final int DAYS_PER_ERA = 146_097;
  private static final int DAYS_TO_1970 = 719_468;

  private Calendar() {}

  /** A date: year 0 to 9999, month 1 to 12, day 1 to 31. */
  record Date(int year, int month, int day) {}

  static Date date(long epochSeconds) {
    long days = Math.floorDiv(epochSeconds, SECONDS_PER_DAY) + DAYS_TO_1970;
    long era = Math.floorDiv(days, DAYS_PER_ERA);
    int dayOfEra = (int) (days - era * DAYS_PER_ERA);
    int yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
    int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    int shifted = (5 * dayOfYear + 2) / 153; // March is 0
    int day = dayOfYear - (153 * shifted + 2) / 5 + 1;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    return new Date((int) (yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day);
  }

  /** Days since 1970-01-01; a month or day out of range counts on into the next. */
  static long days(int year, int month, int day) {
    int months = year * 12 + month - 1;
    int normalYear = Math.floorDiv(months, 12);
    int normalMonth = Math.floorMod(months, 12) + 1;
    int shiftedYear = normalMonth <= 2 ? normalYear - 1 : normalYear;
    long era = Math.floorDiv(shiftedYear, 400);
    int yearOfEra = (int) (shiftedYear - era * 400);
    int dayOfYear = (153 * (normalMonth > 2 ? normalMonth - 3 : normalMonth + 9) + 2) / 5;
    int dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_1970 + day - 1;
  }

  /** 0 for Sunday to 6. */
  static int dayOfWeek(long epochSeconds) {
    return (int) Math.floorMod(Math.floorDiv(epochSeconds, SECONDS_PER_DAY) + 4, 7L);
  }
}
