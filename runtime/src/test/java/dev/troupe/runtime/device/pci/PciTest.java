package dev.troupe.runtime.device.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.device.PowerEvent;
import org.junit.jupiter.api.Test;

/** Properties of configuration mechanism 1 and the reset control register. */
final class PciTest {
  private final Pci pci = new Pci();
  private final DeviceBench bench = new DeviceBench(pci);

  private long config(int device, int register, int size) {
    bench.out(0xCF8, 4, 0x8000_0000L | (long) device << 11 | (register & 0xFC));
    return bench.in(0xCFC + (register & 3), size);
  }

  @Test
  void the_host_bridge_answers_and_nobody_else() {
    assertThat(config(0, 0, 4)).isEqualTo(0x1237_8086L);
    assertThat(config(0, 0x0A, 2)).isEqualTo(0x0600);
    assertThat(config(0, 2, 2)).isEqualTo(0x1237);
    for (int device = 1; device < 32; device++) {
      assertThat(config(device, 0, 4)).isEqualTo(0xFFFF_FFFFL);
    }
    bench.out(0xCF8, 4, 0x8001_0000L);
    assertThat(bench.in(0xCFC, 4)).as("bus 1").isEqualTo(0xFFFF_FFFFL);
    bench.out(0xCF8, 4, 0);
    assertThat(bench.in(0xCFC, 2)).as("not enabled").isEqualTo(0xFFFFL);
  }

  @Test
  void linux_s_test_for_mechanism_1_passes() {
    bench.out(0xCFB, 1, 0x01);
    bench.out(0xCF8, 4, 0x8000_0000L);
    assertThat(bench.in(0xCF8, 4)).isEqualTo(0x8000_0000L);
  }

  @Test
  void identity_is_read_only_and_the_command_register_keeps_its_bits() {
    config(0, 0, 4);
    bench.out(0xCFC, 4, 0);
    assertThat(config(0, 0, 4)).isEqualTo(0x1237_8086L);
    config(0, 4, 2);
    bench.out(0xCFC, 2, 0xFFFF);
    assertThat(config(0, 4, 2)).isEqualTo(0x0107);
    config(0, 0x3C, 1);
    bench.out(0xCFC, 1, 11);
    assertThat(config(0, 0x3C, 1)).isEqualTo(11);
  }

  @Test
  void further_functions_have_places_of_their_own() {
    pci.attach(3 << 3 | 1, new ConfigSpace(0x1AF4, 0x1041, 1, 0x020000));
    bench.out(0xCF8, 4, 0x8000_0000L | 3 << 11 | 1 << 8);
    assertThat(bench.in(0xCFC, 4)).isEqualTo(0x1041_1AF4L);
    assertThatThrownBy(() -> pci.attach(0, new ConfigSpace(1, 2, 3, 4)))
        .hasMessageContaining("taken");
  }

  @Test
  void a_rising_reset_bit_resets() {
    bench.out(0xCF9, 2);
    assertThat(bench.power).isEmpty();
    assertThat(bench.in(0xCF9)).isEqualTo(2);
    bench.out(0xCF9, Pci.HARD_RESET);
    assertThat(bench.power).containsExactly(new PowerEvent.Reset());
    assertThat(bench.in(0xCF8, 4)).as("the address register is another").isZero();
  }
}
