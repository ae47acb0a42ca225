package dev.troupe.runtime.device.pic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.snapshot.States;
import org.junit.jupiter.api.Test;

/** Properties of the 8259A pair by datasheet 231468. */
final class PicTest {
  private static final int MASTER = 0x20;
  private static final int SLAVE = 0xA0;
  private static final int EOI = 0x20;

  private final DeviceBench bench = new DeviceBench(new Pic(0));

  /** ICW1 to ICW4 as a PC's BIOS writes them. */
  private void initialise(int masterIcw4, int slaveIcw4) {
    bench.out(MASTER, 0x11);
    bench.out(MASTER + 1, 0x20);
    bench.out(MASTER + 1, 0x04);
    bench.out(MASTER + 1, masterIcw4);
    bench.out(SLAVE, 0x11);
    bench.out(SLAVE + 1, 0x28);
    bench.out(SLAVE + 1, 0x02);
    bench.out(SLAVE + 1, slaveIcw4);
  }

  private void initialise() {
    initialise(1, 1);
  }

  private int acknowledge() {
    return (int) bench.send(new BoardMessage.InterruptAcknowledge(0));
  }

  private int isr(int chip) {
    bench.out(chip, 0x0B);
    return bench.in(chip);
  }

  private int irr(int chip) {
    bench.out(chip, 0x0A);
    return bench.in(chip);
  }

  private void pulse(int pin) {
    bench.line(pin, 0);
    bench.line(pin, 1);
  }

  @Test
  void an_edge_raises_intr_and_its_acknowledge_gives_the_vector() {
    initialise();
    bench.line(4, 1);
    assertThat(bench.level(0)).isTrue();
    assertThat(irr(MASTER)).isEqualTo(0x10);
    assertThat(acknowledge()).isEqualTo(0x24);
    assertThat(bench.level(0)).isFalse();
    assertThat(irr(MASTER)).isZero();
    assertThat(isr(MASTER)).isEqualTo(0x10);
  }

  @Test
  void a_line_that_stays_high_asks_once_if_edge_triggered() {
    initialise();
    bench.line(4, 1);
    acknowledge();
    bench.out(MASTER, EOI);
    assertThat(bench.level(0)).isFalse();
    pulse(4);
    assertThat(bench.level(0)).isTrue();
  }

  @Test
  void a_line_that_stays_high_asks_again_after_eoi_if_level_triggered() {
    initialise();
    bench.out(0x4D0, 1 << 5);
    bench.line(5, 1);
    assertThat(acknowledge()).isEqualTo(0x25);
    assertThat(bench.level(0)).isFalse();
    bench.out(MASTER, EOI);
    assertThat(bench.level(0)).isTrue();
    bench.line(5, 0);
    assertThat(bench.level(0)).isFalse();
  }

  @Test
  void a_request_withdrawn_before_its_acknowledge_gives_spurious_irq_7_without_service() {
    initialise();
    bench.line(4, 1);
    bench.line(4, 0);
    assertThat(bench.level(0)).isFalse();
    assertThat(acknowledge()).isEqualTo(0x27);
    assertThat(isr(MASTER)).isZero();
  }

  @Test
  void a_slave_request_withdrawn_before_the_cycle_withdraws_the_cascade() {
    initialise();
    bench.line(10, 1);
    bench.line(10, 0);
    assertThat(acknowledge()).isEqualTo(0x27);
  }

  @Test
  void a_slave_request_withdrawn_in_the_cycle_gives_spurious_irq_15_with_the_cascade_in_service() {
    initialise();
    bench.line(10, 1);
    DeviceBench withoutRequest = new DeviceBench(new Pic(0));
    States.copy(bench.device, withoutRequest.device);
    States.set(withoutRequest.device, "slave.pins", 0);
    States.set(withoutRequest.device, "slave.edges", 0);
    withoutRequest.levels.put(0, true);
    assertThat(withoutRequest.send(new BoardMessage.InterruptAcknowledge(0))).isEqualTo(0x2F);
    withoutRequest.out(MASTER, 0x0B);
    assertThat(withoutRequest.in(MASTER)).isEqualTo(0x04);
    withoutRequest.out(SLAVE, 0x0B);
    assertThat(withoutRequest.in(SLAVE)).isZero();
  }

  @Test
  void lower_numbers_win_and_nest() {
    initialise();
    bench.line(6, 1);
    bench.line(3, 1);
    assertThat(acknowledge()).isEqualTo(0x23);
    assertThat(bench.level(0)).as("6 waits for 3").isFalse();
    bench.line(1, 1);
    assertThat(acknowledge()).as("1 interrupts 3").isEqualTo(0x21);
    assertThat(isr(MASTER)).isEqualTo(0x0A);
    bench.out(MASTER, EOI);
    assertThat(isr(MASTER)).as("the highest is ended first").isEqualTo(0x08);
    bench.out(MASTER, EOI);
    assertThat(acknowledge()).isEqualTo(0x26);
  }

  @Test
  void a_masked_request_waits_in_the_irr() {
    initialise();
    bench.out(MASTER + 1, 0x10);
    assertThat(bench.in(MASTER + 1)).isEqualTo(0x10);
    bench.line(4, 1);
    assertThat(bench.level(0)).isFalse();
    assertThat(irr(MASTER)).isEqualTo(0x10);
    bench.out(MASTER + 1, 0);
    assertThat(bench.level(0)).isTrue();
  }

  @Test
  void slave_interrupts_need_an_eoi_at_both_chips() {
    initialise();
    bench.line(8, 1);
    bench.line(14, 1);
    assertThat(acknowledge()).isEqualTo(0x28);
    bench.out(MASTER, EOI);
    assertThat(bench.level(0)).as("14 waits for 8").isFalse();
    bench.out(SLAVE, EOI);
    assertThat(acknowledge()).isEqualTo(0x2E);
  }

  @Test
  void a_slave_interrupt_of_higher_priority_waits_unless_specially_fully_nested() {
    initialise();
    bench.line(14, 1);
    acknowledge();
    bench.line(8, 1);
    assertThat(bench.level(0)).isFalse();
    initialise(0x11, 1);
    bench.line(14, 0);
    bench.line(8, 0);
    bench.line(14, 1);
    assertThat(acknowledge()).isEqualTo(0x2E);
    bench.line(8, 1);
    assertThat(bench.level(0)).isTrue();
    assertThat(acknowledge()).isEqualTo(0x28);
    bench.line(3, 1);
    assertThat(bench.level(0)).as("IR3 is below the cascade").isFalse();
  }

  @Test
  void specific_eoi_ends_the_level_named() {
    initialise();
    bench.line(6, 1);
    acknowledge();
    bench.line(1, 1);
    acknowledge();
    bench.out(MASTER, 0x60 | 6);
    assertThat(isr(MASTER)).isEqualTo(0x02);
  }

  @Test
  void automatic_eoi_leaves_nothing_in_service() {
    initialise(3, 3);
    bench.line(4, 1);
    assertThat(acknowledge()).isEqualTo(0x24);
    assertThat(isr(MASTER)).isZero();
    bench.line(9, 1);
    bench.line(11, 1);
    assertThat(acknowledge()).isEqualTo(0x29);
    assertThat(acknowledge()).as("the slave's INT rises anew").isEqualTo(0x2B);
    assertThat(bench.level(0)).isFalse();
  }

  @Test
  void rotation_on_non_specific_eoi_makes_the_level_served_the_lowest() {
    initialise();
    bench.line(4, 1);
    acknowledge();
    bench.out(MASTER, 0xA0);
    pulse(4);
    bench.line(6, 1);
    assertThat(acknowledge()).isEqualTo(0x26);
  }

  @Test
  void rotation_on_specific_eoi_and_set_priority_choose_the_lowest_level() {
    initialise();
    bench.out(MASTER, 0xC0 | 4); // IR4 lowest, IR5 highest
    bench.line(1, 1);
    bench.line(5, 1);
    assertThat(acknowledge()).isEqualTo(0x25);
    bench.out(MASTER, 0xE0 | 5); // ends IR5, which becomes lowest
    pulse(5);
    assertThat(acknowledge()).isEqualTo(0x21);
  }

  @Test
  void rotation_in_automatic_eoi_mode_can_be_set_and_cleared() {
    initialise(3, 1);
    bench.out(MASTER, 0x80);
    bench.line(3, 1);
    acknowledge();
    pulse(3);
    bench.line(5, 1);
    assertThat(acknowledge()).as("3 is the lowest now").isEqualTo(0x25);
    bench.out(MASTER, 0x00);
    pulse(5);
    // 5 became lowest; without rotation it stays there.
    assertThat(acknowledge()).isEqualTo(0x23);
    pulse(3);
    assertThat(acknowledge()).isEqualTo(0x23);
    assertThat(acknowledge()).isEqualTo(0x25);
  }

  @Test
  void special_mask_mode_lets_lower_levels_through_and_keeps_masked_ones_from_non_specific_eoi() {
    initialise();
    bench.line(3, 1);
    acknowledge();
    bench.line(6, 1);
    bench.out(MASTER + 1, 1 << 3);
    assertThat(bench.level(0)).isFalse();
    bench.out(MASTER, 0x68);
    assertThat(bench.level(0)).isTrue();
    assertThat(acknowledge()).isEqualTo(0x26);
    bench.out(MASTER, EOI);
    assertThat(isr(MASTER)).isEqualTo(0x08);
    bench.out(MASTER, EOI);
    assertThat(isr(MASTER)).isEqualTo(0x08);
    bench.out(MASTER, 0x48);
    bench.out(MASTER, EOI);
    assertThat(isr(MASTER)).isZero();
  }

  @Test
  void polling_acknowledges_and_tells_the_level() {
    initialise();
    bench.out(MASTER, 0x0C);
    assertThat(bench.in(MASTER)).as("nothing to tell").isZero();
    bench.line(5, 1);
    bench.out(MASTER, 0x0C);
    assertThat(bench.in(MASTER)).isEqualTo(0x85);
    assertThat(isr(MASTER)).isEqualTo(0x20);
    assertThat(bench.level(0)).isFalse();
  }

  @Test
  void initialisation_forgets_edges_mask_and_service_but_not_the_lines() {
    initialise();
    bench.out(MASTER + 1, 0xFF);
    bench.line(4, 1);
    initialise();
    assertThat(bench.in(MASTER + 1)).isZero();
    assertThat(bench.level(0)).as("a low-to-high transition is needed").isFalse();
    pulse(4);
    assertThat(bench.level(0)).isTrue();
  }

  @Test
  void initialisation_without_icw4_and_single_takes_two_words() {
    bench.out(MASTER, 0x12);
    bench.out(MASTER + 1, 0x40);
    bench.out(MASTER + 1, 0xFE); // OCW1 already
    assertThat(bench.in(MASTER + 1)).isEqualTo(0xFE);
    bench.line(0, 1);
    assertThat(acknowledge()).isEqualTo(0x40);
  }

  @Test
  void edge_level_registers_keep_what_can_be_set() {
    bench.out(0x4D0, 0xFF);
    bench.out(0x4D1, 0xFF);
    assertThat(bench.in(0x4D0)).isEqualTo(0xF8);
    assertThat(bench.in(0x4D1)).isEqualTo(0xDE);
    bench.send(new BoardMessage.Reset());
    assertThat(bench.in(0x4D0)).isZero();
  }

  @Test
  void the_cascade_pin_is_not_connected() {
    initialise();
    bench.line(2, 1);
    assertThat(bench.level(0)).isFalse();
  }
}
