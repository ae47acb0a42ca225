package dev.troupe.runtime.device.i8042;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.device.PowerEvent;
import org.junit.jupiter.api.Test;

/** Properties of the keyboard controller that guests rely on. */
final class I8042Test {
  private static final int DATA = 0x60;
  private static final int COMMAND = 0x64;

  private final DeviceBench bench = new DeviceBench(new I8042());

  private int ask(int command) {
    bench.out(COMMAND, command);
    assertThat(bench.in(COMMAND) & 1).as("output buffer full after %#x", command).isEqualTo(1);
    return bench.in(DATA);
  }

  @Test
  void tests_pass() {
    assertThat(ask(0xAA)).isEqualTo(0x55);
    assertThat(ask(0xAB)).isZero();
    assertThat(ask(0xA9)).isZero();
    assertThat(bench.in(COMMAND) & 1).isZero();
    assertThat(bench.in(COMMAND) & 4).as("system flag").isEqualTo(4);
  }

  @Test
  void the_command_byte_and_the_ram_can_be_written() {
    bench.out(COMMAND, 0x60);
    assertThat(bench.in(COMMAND) & 8).as("last write was a command").isEqualTo(8);
    bench.out(DATA, 0x47);
    assertThat(bench.in(COMMAND) & 8).isZero();
    assertThat(ask(0x20)).isEqualTo(0x47);
    bench.out(COMMAND, 0x65);
    bench.out(DATA, 0x99);
    assertThat(ask(0x25)).isEqualTo(0x99);
    bench.out(COMMAND, 0xAD);
    assertThat(ask(0x20)).isEqualTo(0x57);
    bench.out(COMMAND, 0xAE);
    bench.out(COMMAND, 0xA7);
    assertThat(ask(0x20)).isEqualTo(0x67);
  }

  @Test
  void pulse_and_output_port_reset_the_machine() {
    bench.out(COMMAND, 0xFE);
    assertThat(bench.power).containsExactly(new PowerEvent.Reset());
    bench.out(COMMAND, 0xFF);
    bench.out(COMMAND, 0xF1);
    assertThat(bench.power).hasSize(1);
    bench.out(COMMAND, 0xD1);
    bench.out(DATA, 0x02);
    assertThat(bench.power).hasSize(2);
  }

  @Test
  void the_output_port_keeps_the_a20_gate() {
    assertThat(ask(0xD0) & 3).isEqualTo(3);
    bench.out(COMMAND, 0xD1);
    bench.out(DATA, 0xDD);
    assertThat(ask(0xD0) & 2).isZero();
    bench.out(COMMAND, 0xDF);
    assertThat(ask(0xD0) & 2).isEqualTo(2);
    bench.out(COMMAND, 0xDD);
    assertThat(ask(0xD0) & 2).isZero();
  }

  @Test
  void an_absent_keyboard_times_out_at_once_with_irq_1() {
    bench.out(DATA, 0xF2);
    assertThat(bench.in(COMMAND) & 0x61).isEqualTo(0x41);
    assertThat(bench.level(0)).isTrue();
    assertThat(bench.in(DATA)).isEqualTo(0xFE);
    assertThat(bench.level(0)).isFalse();
  }

  @Test
  void an_absent_mouse_times_out_and_the_loop_works_with_irq_12_if_enabled() {
    bench.out(COMMAND, 0x60);
    bench.out(DATA, 0x07);
    bench.out(COMMAND, 0xD4);
    bench.out(DATA, 0xF2);
    assertThat(bench.in(COMMAND) & 0x61).isEqualTo(0x61);
    assertThat(bench.level(1)).isTrue();
    assertThat(bench.in(DATA)).isEqualTo(0xFE);
    assertThat(bench.level(1)).isFalse();
    bench.out(COMMAND, 0xD3);
    bench.out(DATA, 0x5A);
    assertThat(bench.in(COMMAND) & 0x61).isEqualTo(0x21);
    assertThat(bench.in(DATA)).isEqualTo(0x5A);
  }

  @Test
  void each_byte_makes_an_edge_of_its_own() {
    bench.out(COMMAND, 0xD2);
    bench.out(DATA, 1);
    bench.out(COMMAND, 0xD2);
    bench.out(DATA, 2);
    assertThat(bench.in(DATA)).isEqualTo(1);
    assertThat(bench.rises(0)).hasSize(2);
    assertThat(bench.in(DATA)).isEqualTo(2);
    assertThat(bench.in(DATA)).as("the buffer keeps its last byte").isEqualTo(2);
  }
}
