package dev.troupe.runtime.device.rtc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Properties of the MC146818A by its datasheet; java.time is the oracle for dates. */
final class RtcTest {
  private static final long SECOND = 1_000_000_000L;
  private static final LocalDateTime START = LocalDateTime.of(2024, 2, 28, 23, 59, 58);

  private final DeviceBench bench = bench(START, 500_000_000);

  private static DeviceBench bench(LocalDateTime start, long nanos) {
    return new DeviceBench(
        new Rtc(start.toEpochSecond(ZoneOffset.UTC) * SECOND + nanos, 6L << 30, 4));
  }

  private int get(int register) {
    bench.out(0x70, register);
    return bench.in(0x71);
  }

  private void set(int register, int value) {
    bench.out(0x70, register);
    bench.out(0x71, value);
  }

  private String time() {
    return "%02x%02x-%02x-%02x %02x:%02x:%02x day %x"
        .formatted(get(0x32), get(9), get(8), get(7), get(4), get(2), get(0), get(6));
  }

  @Test
  void time_starts_at_the_base_and_follows_virtual_time_over_a_leap_day() {
    assertThat(time()).isEqualTo("2024-02-28 23:59:58 day 4");
    bench.until(SECOND / 2 - 1);
    assertThat(time()).isEqualTo("2024-02-28 23:59:58 day 4");
    bench.until(SECOND / 2);
    assertThat(time()).isEqualTo("2024-02-28 23:59:59 day 4");
    bench.until(3 * SECOND / 2);
    assertThat(time()).isEqualTo("2024-02-29 00:00:00 day 5");
    bench.until(86_400 * SECOND + 3 * SECOND / 2);
    assertThat(time()).isEqualTo("2024-03-01 00:00:00 day 6");
  }

  @Test
  void dates_agree_with_java_time() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 2_000; i++) {
      long second = random.nextLong(0, 8_000_000_000L);
      LocalDateTime expected = LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
      Calendar.Date date = Calendar.date(second);
      assertThat(date)
          .as("second %d", second)
          .isEqualTo(
              new Calendar.Date(
                  expected.getYear(), expected.getMonthValue(), expected.getDayOfMonth()));
      assertThat(Calendar.days(date.year(), date.month(), date.day()))
          .isEqualTo(Math.floorDiv(second, 86_400));
      assertThat(Calendar.dayOfWeek(second)).isEqualTo(expected.getDayOfWeek().getValue() % 7);
    }
  }

  @Test
  void binary_and_twelve_hour_forms() {
    set(0x0B, 0x06); // binary, 24 hours
    assertThat(get(4)).isEqualTo(23);
    assertThat(get(0)).isEqualTo(58);
    set(0x0B, 0x00); // BCD, 12 hours
    assertThat(get(4)).isEqualTo(0x80 | 0x11);
    bench.until(2 * SECOND);
    assertThat(get(4)).as("midnight is 12 AM").isEqualTo(0x12);
    bench.until(2 * SECOND + 12 * 3600 * SECOND);
    assertThat(get(4)).as("noon is 12 PM").isEqualTo(0x92);
  }

  @Test
  void a_time_set_under_set_runs_from_there_in_the_old_phase() {
    set(0x0B, 0x82);
    set(9, 0x99);
    set(0x32, 0x19);
    set(8, 0x12);
    set(7, 0x31);
    set(4, 0x23);
    set(2, 0x59);
    set(0, 0x59);
    set(6, 0x06);
    bench.until(10 * SECOND);
    assertThat(time()).as("stands still").isEqualTo("1999-12-31 23:59:59 day 6");
    set(0x0B, 0x02);
    bench.until(10 * SECOND + SECOND / 2 - 1);
    assertThat(time()).isEqualTo("1999-12-31 23:59:59 day 6");
    bench.until(10 * SECOND + SECOND / 2);
    assertThat(time()).isEqualTo("2000-01-01 00:00:00 day 7");
  }

  @Test
  void the_first_update_after_divider_reset_comes_half_a_second_later() {
    bench.until(SECOND / 4);
    set(0x0A, 0x76);
    bench.until(100 * SECOND);
    assertThat(time()).isEqualTo("2024-02-28 23:59:58 day 4");
    set(0x0A, 0x26);
    bench.until(100 * SECOND + SECOND / 2 - 1);
    assertThat(time()).isEqualTo("2024-02-28 23:59:58 day 4");
    bench.until(100 * SECOND + SECOND / 2);
    assertThat(time()).isEqualTo("2024-02-28 23:59:59 day 4");
  }

  @Test
  void update_in_progress_warns_244_microseconds_ahead() {
    bench.until(SECOND / 2 - 244_001);
    assertThat(get(0x0A) & 0x80).isZero();
    bench.until(SECOND / 2 - 244_000);
    assertThat(get(0x0A) & 0x80).isEqualTo(0x80);
    bench.until(SECOND / 2);
    assertThat(get(0x0A) & 0x80).isZero();
    set(0x0B, 0x82);
    bench.until(3 * SECOND / 2 - 1);
    assertThat(get(0x0A) & 0x80).as("no update under SET").isZero();
  }

  @Test
  void the_update_interrupt_comes_every_second_and_reading_c_ends_it() {
    set(0x0B, 0x12);
    bench.until(SECOND / 2);
    assertThat(bench.level(0)).isTrue();
    assertThat(get(0x0C)).isEqualTo(0xD0 | (0x40 & get(0x0C)));
    assertThat(bench.level(0)).isFalse();
    bench.until(3 * SECOND / 2);
    assertThat(bench.rises(0)).containsExactly(SECOND / 2, 3 * SECOND / 2);
  }

  @Test
  void flags_are_set_without_their_enables_and_raise_no_line() {
    get(0x0C);
    bench.until(SECOND);
    assertThat(bench.lines).isEmpty();
    assertThat(get(0x0C)).isEqualTo(0x50);
    assertThat(get(0x0C)).isZero();
  }

  @Test
  void the_periodic_interrupt_has_its_rate() {
    int[] hertz = {0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2};
    for (int rate = 1; rate < 16; rate++) {
      set(0x0A, 0x20 | rate);
      set(0x0B, 0x42);
      long start = bench.now;
      int interrupts = 0;
      while (true) {
        get(0x0C);
        long next = bench.timers.get(0);
        if (next > start + SECOND) {
          break;
        }
        bench.until(next);
        assertThat(bench.level(0)).isTrue();
        interrupts++;
      }
      assertThat(interrupts).as("rate %d", rate).isEqualTo(hertz[rate]);
      set(0x0B, 0x02);
      bench.until(start + SECOND);
    }
  }

  @Test
  void the_alarm_matches_its_bytes_and_wildcards() {
    set(1, 0x05);
    set(3, 0x00);
    set(5, 0x00);
    set(0x0B, 0x22);
    bench.until(30 * SECOND);
    assertThat(bench.rises(0)).containsExactly(6 * SECOND + SECOND / 2);
    set(3, 0xC0);
    set(5, 0xFF);
    for (int minute = 1; minute <= 3; minute++) {
      assertThat(get(0x0C) & 0xA0).isEqualTo(0xA0);
      bench.until((60L * minute + 30) * SECOND);
    }
    assertThat(bench.rises(0)).hasSize(4);
  }

  @Test
  void alarms_come_when_java_time_says_so() {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 200; i++) {
      DeviceBench other = bench(START, 0);
      int hour = random.nextInt(25) - 1;
      int minute = random.nextInt(61) - 1;
      int second = random.nextInt(61) - 1;
      int[] values = {second, minute, hour};
      for (int field = 0; field < 3; field++) {
        other.out(0x70, 1 + 2 * field);
        other.out(0x71, values[field] < 0 ? 0xC0 : (values[field] / 10) << 4 | values[field] % 10);
      }
      other.out(0x70, 0x0B);
      other.out(0x71, 0x22);
      LocalDateTime expected = START.plusSeconds(1);
      while ((hour >= 0 && expected.getHour() != hour)
          || (minute >= 0 && expected.getMinute() != minute)
          || (second >= 0 && expected.getSecond() != second)) {
        expected = expected.plusSeconds(1);
      }
      long seconds = expected.toEpochSecond(ZoneOffset.UTC) - START.toEpochSecond(ZoneOffset.UTC);
      assertThat(other.timers.get(0))
          .as("%d:%d:%d", hour, minute, second)
          .isEqualTo(seconds * SECOND);
    }
  }

  @Test
  void an_alarm_of_no_time_sets_no_timer() {
    set(5, 0x30);
    set(0x0B, 0x22);
    assertThat(bench.timers).isEmpty();
  }

  @Test
  void nvram_describes_the_machine_and_survives_a_reset() {
    assertThat(get(0x34) | get(0x35) << 8).isEqualTo((int) ((0xC000_0000L - (16 << 20)) >> 16));
    assertThat(get(0x5B) | get(0x5C) << 8 | get(0x5D) << 16)
        .isEqualTo((int) (((6L << 30) - 0xC000_0000L) >> 16));
    assertThat(get(0x5F)).isEqualTo(3);
    assertThat(get(0x15) | get(0x16) << 8).isEqualTo(640);
    int sum = 0;
    for (int i = 0x10; i < 0x2E; i++) {
      sum += get(i);
    }
    assertThat(get(0x2E) << 8 | get(0x2F)).isEqualTo(sum);
    set(0x0F, 0x0A);
    set(0x0B, 0x72);
    bench.send(new BoardMessage.Reset());
    assertThat(get(0x0F)).isEqualTo(0x0A);
    assertThat(get(0x0B)).isEqualTo(0x02);
    assertThat(get(0x0D)).isEqualTo(0x80);
  }

  @Test
  void any_time_bytes_are_taken_without_harm() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 5_000; i++) {
      set(random.nextInt(128), random.nextInt(256));
      bench.advance(random.nextLong(3 * SECOND));
      get(random.nextInt(128));
    }
  }
}
