package dev.troupe.runtime.device.acpipm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.device.PowerEvent;
import org.junit.jupiter.api.Test;

/** Properties of the ACPI power management block. */
final class AcpiPmTest {
  private static final int STATUS = 0x600;
  private static final int ENABLE = 0x602;
  private static final int CONTROL = 0x604;
  private static final int TIMER = 0x608;
  private static final long SECOND = 1_000_000_000L;

  private final DeviceBench bench = new DeviceBench(new AcpiPm(24));

  private int in2(int port) {
    return (int) bench.in(port, 2);
  }

  @Test
  void the_timer_counts_3579545_a_second_and_wraps_at_its_width() {
    DeviceBench wide = new DeviceBench(new AcpiPm(32));
    for (long seconds : new long[] {0, 1, 4, 5, 100, 86_400}) {
      bench.until(seconds * SECOND);
      wide.until(seconds * SECOND);
      assertThat(bench.in(TIMER, 4)).isEqualTo(seconds * 3_579_545 % (1 << 24));
      assertThat(wide.in(TIMER, 4)).isEqualTo(seconds * 3_579_545 % (1L << 32));
    }
    assertThat(bench.in(TIMER + 1, 1)).isEqualTo(bench.in(TIMER, 4) >> 8 & 0xFF);
    assertThatThrownBy(() -> new AcpiPm(16)).hasMessageContaining("16");
  }

  @Test
  void the_timer_s_carry_interrupts_if_enabled() {
    bench.out(ENABLE, 2, 1);
    bench.until(10 * SECOND);
    assertThat(bench.level(0)).isTrue();
    assertThat(bench.rises(0)).containsExactly(AcpiPm.CLOCK.nanos(1 << 23));
    bench.out(STATUS, 2, 1);
    assertThat(bench.level(0)).isFalse();
    bench.until(14 * SECOND);
    assertThat(bench.rises(0)).hasSize(2);
  }

  @Test
  void the_power_button_raises_the_sci_until_its_status_is_cleared() {
    bench.send(new BoardMessage.PowerButton());
    assertThat(bench.level(0)).isFalse();
    assertThat(in2(STATUS)).isEqualTo(0x100);
    bench.out(ENABLE, 2, 0x100);
    assertThat(bench.level(0)).isTrue();
    bench.out(STATUS, 2, 0x100);
    assertThat(bench.level(0)).isFalse();
    assertThat(in2(STATUS)).isZero();
    assertThat(in2(ENABLE)).isEqualTo(0x100);
  }

  @Test
  void wide_accesses_cover_both_registers() {
    bench.send(new BoardMessage.PowerButton());
    bench.out(STATUS, 4, 0x0100_0000L);
    assertThat(bench.in(STATUS, 4)).isEqualTo(0x0100_0100L);
    bench.out(STATUS + 1, 1, 1);
    assertThat(bench.in(STATUS, 4)).isEqualTo(0x0100_0000L);
  }

  @Test
  void acpi_mode_is_always_on() {
    assertThat(in2(CONTROL)).isEqualTo(1);
    bench.out(CONTROL, 2, 0);
    assertThat(in2(CONTROL)).isEqualTo(1);
  }

  @Test
  void s5_switches_off_and_other_sleep_types_do_not() {
    for (int type = 0; type < 8; type++) {
      bench.out(CONTROL, 2, type << 10);
      assertThat(bench.power).as("without SLP_EN").isEmpty();
      bench.out(CONTROL, 2, 1 << 13 | type << 10);
      assertThat(bench.power.size()).as("type %d", type).isEqualTo(type == 5 ? 1 : 0);
      assertThat(in2(CONTROL) & 1 << 13).as("SLP_EN reads as 0").isZero();
      bench.power.clear();
    }
    bench.out(CONTROL + 1, 1, 0x34);
    assertThat(bench.power).containsExactly(new PowerEvent.PowerOff());
  }
}
