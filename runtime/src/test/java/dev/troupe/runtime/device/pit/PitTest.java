package dev.troupe.runtime.device.pit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.snapshot.States;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Properties of the 8254 by datasheet 231164. Times are in CLK pulses. */
final class PitTest {
  private static final int CONTROL = 0x43;
  private static final int PORT_B = 0x61;

  private final DeviceBench bench = new DeviceBench(new Pit());

  /** Moves to the start of a pulse. */
  private void pulse(long pulse) {
    bench.until(Pit.CLOCK.nanos(pulse));
  }

  private void program(int counter, int mode, int count) {
    bench.out(CONTROL, counter << 6 | 0x30 | mode << 1);
    bench.out(0x40 + counter, count & 0xFF);
    bench.out(0x40 + counter, count >> 8);
  }

  private int count(int counter) {
    bench.out(CONTROL, counter << 6);
    return bench.in(0x40 + counter) | bench.in(0x40 + counter) << 8;
  }

  private int status(int counter) {
    bench.out(CONTROL, 0xE0 | 2 << counter);
    return bench.in(0x40 + counter);
  }

  private boolean out2() {
    return (bench.in(PORT_B) & 0x20) != 0;
  }

  /** Pulses at which counter 0's OUT rose by counting, not by a control word at virtual time 0. */
  private List<Long> risingPulses() {
    return bench.rises(0).stream().filter(t -> t > 0).map(Pit.CLOCK::ticks).toList();
  }

  @Test
  void mode_0_rises_n_plus_1_pulses_after_the_write_and_stays_high() {
    pulse(100);
    program(0, 0, 4);
    assertThat(bench.level(0)).isFalse();
    pulse(1_000);
    assertThat(risingPulses()).containsExactly(105L);
    assertThat(bench.level(0)).isTrue();
    program(0, 0, 10);
    assertThat(bench.level(0)).as("OUT falls at once").isFalse();
  }

  @Test
  void mode_0_counts_on_below_zero() {
    program(2, 0, 3);
    bench.out(PORT_B, 1);
    bench.out(CONTROL, 0xB0);
    bench.out(0x42, 3);
    bench.out(0x42, 0);
    pulse(1);
    assertThat(count(2)).isEqualTo(3);
    pulse(4);
    assertThat(count(2)).isZero();
    assertThat(out2()).isTrue();
    pulse(5);
    assertThat(count(2)).isEqualTo(0xFFFF);
  }

  @Test
  void mode_0_gate_suspends_counting() {
    bench.out(PORT_B, 1);
    program(2, 0, 100);
    pulse(11);
    assertThat(count(2)).isEqualTo(90);
    bench.out(PORT_B, 0);
    pulse(500);
    assertThat(count(2)).isEqualTo(90);
    bench.out(PORT_B, 1);
    pulse(510);
    assertThat(count(2)).isEqualTo(80);
    assertThat(out2()).isFalse();
    pulse(590);
    assertThat(out2()).isTrue();
  }

  @Test
  void mode_0_first_byte_of_a_new_count_stops_counting() {
    program(0, 0, 10);
    pulse(5);
    bench.out(0x40, 20);
    pulse(1_000);
    assertThat(bench.rises(0)).isEmpty();
    bench.out(0x40, 0);
    pulse(2_000);
    assertThat(risingPulses()).containsExactly(1_021L);
  }

  @Test
  void mode_1_gives_one_pulse_of_n_after_each_trigger() {
    bench.out(CONTROL, 0xB2);
    bench.out(0x42, 5);
    bench.out(0x42, 0);
    pulse(10);
    assertThat(out2()).isTrue();
    bench.out(PORT_B, 1);
    assertThat(out2()).as("the pulse after the trigger").isTrue();
    pulse(11);
    assertThat(out2()).isFalse();
    pulse(15);
    assertThat(out2()).isFalse();
    pulse(16);
    assertThat(out2()).isTrue();
    bench.out(PORT_B, 0);
    bench.out(PORT_B, 1);
    pulse(19);
    bench.out(PORT_B, 0);
    bench.out(PORT_B, 1); // retriggered: full length again
    pulse(24);
    assertThat(out2()).isFalse();
    pulse(25);
    assertThat(out2()).isTrue();
  }

  @Test
  void mode_2_ticks_every_n_pulses_without_drift() {
    program(0, 2, 1193);
    bench.until(10_000_000_000L);
    List<Long> rises = bench.rises(0).subList(1, bench.rises(0).size());
    assertThat(rises).hasSize(10 * 1_193_182 / 1193);
    for (int i = 0; i < rises.size(); i++) {
      assertThat(rises.get(i)).isEqualTo(Pit.CLOCK.nanos(1 + 1193L * (i + 1)));
    }
  }

  @Test
  void mode_2_output_is_low_for_the_last_pulse_only() {
    bench.out(PORT_B, 1);
    program(2, 2, 4);
    for (int p = 1; p < 40; p++) {
      pulse(p);
      assertThat(out2()).as("pulse %d", p).isEqualTo((p - 1) % 4 != 3);
      assertThat(count(2)).as("pulse %d", p).isEqualTo(4 - (p - 1) % 4);
    }
  }

  @Test
  void mode_2_new_count_begins_after_the_current_period() {
    program(0, 2, 100);
    pulse(150);
    program2Bytes(50);
    assertThat(status(0) & 0x40).as("null count").isEqualTo(0x40);
    pulse(320);
    assertThat(risingPulses()).containsExactly(101L, 201L, 251L, 301L);
    assertThat(status(0) & 0x40).isZero();
  }

  private void program2Bytes(int count) {
    bench.out(0x40, count & 0xFF);
    bench.out(0x40, count >> 8);
  }

  @Test
  void mode_2_gate_low_forces_out_high_and_its_rise_starts_anew() {
    bench.out(PORT_B, 1);
    program(2, 2, 10);
    pulse(10);
    assertThat(out2()).isFalse();
    bench.out(PORT_B, 0);
    assertThat(out2()).isTrue();
    pulse(100);
    bench.out(PORT_B, 1);
    pulse(101);
    assertThat(count(2)).isEqualTo(10);
    pulse(110);
    assertThat(out2()).isFalse();
  }

  @Test
  void mode_3_is_high_for_half_of_an_even_count_and_one_more_of_an_odd_one() {
    bench.out(PORT_B, 1);
    program(2, 3, 6);
    for (int p = 1; p < 30; p++) {
      pulse(p);
      int phase = (p - 1) % 6;
      assertThat(out2()).as("pulse %d", p).isEqualTo(phase < 3);
      assertThat(count(2)).as("pulse %d", p).isEqualTo(6 - 2 * (phase % 3));
    }
    long start = 40;
    pulse(start - 1);
    program(2, 3, 5);
    for (long p = start; p < start + 30; p++) {
      pulse(p);
      long phase = (p - start) % 5;
      assertThat(out2()).as("pulse %d", p).isEqualTo(phase < 3);
      assertThat(count(2))
          .as("pulse %d", p)
          .isEqualTo((int) (4 - 2 * (phase < 3 ? phase : phase - 3)));
    }
  }

  @Test
  void mode_3_new_count_begins_with_the_next_half() {
    bench.out(PORT_B, 1);
    program(2, 3, 100);
    pulse(10);
    bench.out(0x42, 20);
    bench.out(0x42, 0);
    pulse(50);
    assertThat(out2()).isTrue();
    pulse(51); // the low half, 10 pulses of it
    assertThat(out2()).isFalse();
    assertThat(count(2)).isEqualTo(20);
    pulse(60);
    assertThat(out2()).isFalse();
    pulse(61);
    assertThat(out2()).isTrue();
    pulse(71);
    assertThat(out2()).isFalse();
  }

  @Test
  void mode_4_strobes_once_n_plus_1_pulses_after_the_write() {
    bench.out(PORT_B, 1);
    program(2, 4, 8);
    pulse(8);
    assertThat(out2()).isTrue();
    pulse(9);
    assertThat(out2()).isFalse();
    pulse(10);
    assertThat(out2()).isTrue();
    pulse(200_000);
    assertThat(out2()).isTrue();
  }

  @Test
  void mode_4_on_counter_0_ends_its_strobe_with_one_rising_edge() {
    program(0, 4, 1000);
    pulse(100_000);
    assertThat(risingPulses()).containsExactly(1_002L);
  }

  @Test
  void mode_5_strobes_n_plus_1_pulses_after_a_trigger() {
    program(2, 5, 3);
    pulse(20);
    assertThat(out2()).isTrue();
    bench.out(PORT_B, 1);
    pulse(23);
    assertThat(out2()).isTrue();
    pulse(24);
    assertThat(out2()).isFalse();
    pulse(25);
    assertThat(out2()).isTrue();
  }

  @Test
  void a_count_of_zero_is_the_largest() {
    program(0, 2, 0);
    pulse(65_537);
    assertThat(risingPulses().getLast()).isEqualTo(65_537L);
    bench.out(CONTROL, 0x35); // mode 2, BCD
    long start = Pit.CLOCK.ticks(bench.now);
    program2Bytes(0);
    int before = risingPulses().size();
    pulse(start + 30_002);
    assertThat(risingPulses().subList(before, before + 3))
        .containsExactly(start + 10_001, start + 20_001, start + 30_001);
  }

  @Test
  void bcd_counts_in_decimal() {
    bench.out(PORT_B, 1);
    bench.out(CONTROL, 0xB1);
    bench.out(0x42, 0x00);
    bench.out(0x42, 0x10);
    pulse(2);
    assertThat(count(2)).isEqualTo(0x0999);
    pulse(1_002);
    assertThat(count(2)).isEqualTo(0x9999);
  }

  @Test
  void a_latched_count_waits_for_its_read_and_further_latches_are_ignored() {
    program(0, 2, 50_000);
    pulse(11);
    bench.out(CONTROL, 0x00);
    pulse(1_000);
    bench.out(CONTROL, 0x00);
    assertThat(bench.in(0x40) | bench.in(0x40) << 8).isEqualTo(49_990);
    assertThat(count(0)).isEqualTo(50_000 - 999);
  }

  @Test
  void read_back_latches_status_and_count_of_several_counters() {
    bench.out(PORT_B, 1);
    program(0, 2, 1_000);
    program(2, 3, 1_000);
    pulse(11);
    bench.out(CONTROL, 0xC0 | 0x0A);
    pulse(100);
    assertThat(bench.in(0x40)).isEqualTo(0x80 | 0x30 | 2 << 1);
    assertThat(bench.in(0x40) | bench.in(0x40) << 8).isEqualTo(990);
    assertThat(bench.in(0x42)).isEqualTo(0x80 | 0x30 | 3 << 1);
    assertThat(bench.in(0x42) | bench.in(0x42) << 8).isEqualTo(980);
  }

  @Test
  void status_shows_null_count_from_the_write_to_the_load() {
    bench.out(CONTROL, 0x34);
    assertThat(status(0)).isEqualTo(0x80 | 0x40 | 0x34);
    program2Bytes(100);
    assertThat(status(0) & 0x40).isEqualTo(0x40);
    pulse(1);
    assertThat(status(0) & 0x40).isZero();
  }

  @Test
  void single_byte_access_modes_leave_the_other_byte_zero() {
    bench.out(CONTROL, 0x14); // counter 0, low byte, mode 2
    bench.out(0x40, 200);
    pulse(3);
    assertThat(bench.in(0x40)).isEqualTo(198);
    assertThat(bench.in(0x40)).isEqualTo(198);
    bench.out(CONTROL, 0x24); // high byte
    bench.out(0x40, 2);
    long start = Pit.CLOCK.ticks(bench.now);
    pulse(start + 2);
    assertThat(bench.in(0x40)).isEqualTo(1);
  }

  @Test
  void port_b_keeps_its_low_bits_and_toggles_the_refresh_bit_every_15_microseconds() {
    bench.out(PORT_B, 0xFF);
    assertThat(bench.in(PORT_B) & 0x0F).isEqualTo(0x0F);
    boolean before = (bench.in(PORT_B) & 0x10) != 0;
    pulse(18);
    assertThat((bench.in(PORT_B) & 0x10) != 0).isNotEqualTo(before);
    pulse(36);
    assertThat((bench.in(PORT_B) & 0x10) != 0).isEqualTo(before);
  }

  @Test
  void late_timers_are_made_up_by_one_edge() {
    program(0, 2, 1_193);
    bench.now = 60_000_000_000L;
    bench.timers.clear();
    int before = bench.rises(0).size();
    bench.send(new BoardMessage.TimerFired(0, 1_000_000));
    assertThat(bench.rises(0).size() - before).isEqualTo(1);
    assertThat(bench.timers.get(0)).isBetween(bench.now, bench.now + 1_100_000);
  }

  @Test
  void a_stopped_counter_sets_no_timer() {
    program(0, 2, 1_193);
    bench.out(CONTROL, 0x30);
    assertThat(bench.timers).isEmpty();
  }

  @Test
  void state_restored_in_another_device_goes_on_the_same_way() {
    long seed = 42;
    SplittableRandom random = new SplittableRandom(seed);
    DeviceBench copy = new DeviceBench(new Pit());
    for (int i = 0; i < 2_000; i++) {
      bench.advance(random.nextInt(100_000));
      int port = random.nextInt(5) == 0 ? PORT_B : 0x40 + random.nextInt(4);
      bench.out(port, random.nextInt(256));
      States.copy(bench.device, copy.device);
      copy.now = bench.now;
      assertThat(copy.in(0x40)).as("seed %d step %d", seed, i).isEqualTo(bench.in(0x40));
      assertThat(States.diff(copy.device, bench.device)).as("seed %d step %d", seed, i).isEmpty();
    }
  }
}
