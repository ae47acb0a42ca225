package dev.troupe.runtime.device.ioapic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import dev.troupe.runtime.device.DeviceBench;
import org.junit.jupiter.api.Test;

/** Properties of the I/O APIC by the 82093AA datasheet. */
final class IoApicTest {
  private static final int MASKED = 1 << 16;
  private static final int LEVEL = 1 << 15;
  private static final int REMOTE_IRR = 1 << 14;
  private static final int LOGICAL = 1 << 11;

  private final DeviceBench bench = new DeviceBench(new IoApic());

  private long read(int offset, int size) {
    return bench.send(new BoardMessage.IoRead(AddressSpace.MEMORY, IoApic.BASE + offset, size));
  }

  private void write(int offset, long value) {
    bench.send(new BoardMessage.IoWrite(AddressSpace.MEMORY, IoApic.BASE + offset, 4, value));
  }

  private int get(int register) {
    write(0, register);
    return (int) read(0x10, 4);
  }

  private void set(int register, int value) {
    write(0, register);
    write(0x10, Integer.toUnsignedLong(value));
  }

  private void program(int pin, int low, int destination) {
    set(0x11 + 2 * pin, destination << 24);
    set(0x10 + 2 * pin, low);
  }

  private void endOfInterrupt(int vector) {
    bench.send(new BoardMessage.EndOfInterrupt(vector));
  }

  @Test
  void all_pins_are_masked_at_reset() {
    for (int pin = 0; pin < 24; pin++) {
      assertThat(get(0x10 + 2 * pin)).isEqualTo(MASKED);
      assertThat(get(0x11 + 2 * pin)).isZero();
      bench.line(pin, 1);
    }
    assertThat(bench.interrupts).isEmpty();
  }

  @Test
  void version_tells_24_entries_and_the_id_keeps_4_bits() {
    assertThat(get(1)).isEqualTo(0x00170020);
    set(0, -1);
    assertThat(get(0)).isEqualTo(0x0F000000);
    assertThat(get(2)).isEqualTo(0x0F000000);
    assertThat(get(0x40)).isZero();
  }

  @Test
  void an_edge_becomes_a_message() {
    program(4, LOGICAL | 1 << 8 | 0x31, 0x81);
    bench.line(4, 1);
    assertThat(bench.interrupts)
        .containsExactly(new InterruptMessage(0x81, true, Delivery.LOWEST_PRIORITY, 0x31, false));
    bench.line(4, 1);
    bench.line(4, 0);
    assertThat(bench.interrupts).hasSize(1);
    bench.line(4, 1);
    assertThat(bench.interrupts).hasSize(2);
  }

  @Test
  void an_edge_at_a_masked_pin_is_lost() {
    program(4, MASKED | 0x31, 0);
    bench.line(4, 1);
    program(4, 0x31, 0);
    assertThat(bench.interrupts).isEmpty();
  }

  @Test
  void a_level_asks_once_until_its_end_and_again_while_asserted() {
    program(9, LEVEL | 0x41, 0);
    bench.line(9, 1);
    assertThat(bench.interrupts)
        .containsExactly(new InterruptMessage(0, false, Delivery.FIXED, 0x41, true));
    assertThat(get(0x10 + 18) & REMOTE_IRR).isEqualTo(REMOTE_IRR);
    endOfInterrupt(0x40);
    assertThat(bench.interrupts).hasSize(1);
    endOfInterrupt(0x41);
    assertThat(bench.interrupts).hasSize(2);
    bench.line(9, 0);
    endOfInterrupt(0x41);
    assertThat(bench.interrupts).hasSize(2);
    assertThat(get(0x10 + 18) & REMOTE_IRR).isZero();
  }

  @Test
  void the_eoi_register_ends_an_interrupt_too() {
    program(9, LEVEL | 0x41, 0);
    bench.line(9, 1);
    bench.line(9, 0);
    write(0x40, 0x41);
    assertThat(get(0x10 + 18) & REMOTE_IRR).isZero();
  }

  @Test
  void an_asserted_level_comes_when_its_pin_is_unmasked() {
    program(10, LEVEL | MASKED | 0x51, 0);
    bench.line(10, 1);
    assertThat(bench.interrupts).isEmpty();
    set(0x10 + 20, LEVEL | 0x51);
    assertThat(bench.interrupts).hasSize(1);
    set(0x10 + 20, LEVEL | MASKED | 0x51);
    assertThat(get(0x10 + 20) & REMOTE_IRR).as("masking ends nothing").isEqualTo(REMOTE_IRR);
  }

  @Test
  void switching_to_edge_ends_the_interrupt_as_linux_does_by_hand() {
    program(9, LEVEL | 0x41, 0);
    bench.line(9, 1);
    set(0x10 + 18, MASKED | 0x41);
    set(0x10 + 18, LEVEL | 0x41);
    assertThat(bench.interrupts).hasSize(2);
  }

  @Test
  void read_only_bits_stay() {
    set(0x10, -1);
    assertThat(get(0x10)).isEqualTo(0x0001_FFFF & ~(REMOTE_IRR | 1 << 12));
    set(0x11, -1);
    assertThat(get(0x11)).isEqualTo(0xFF00_0000);
  }

  @Test
  void nmi_and_init_need_no_end() {
    program(5, LEVEL | 4 << 8, 3);
    bench.line(5, 1);
    assertThat(bench.interrupts)
        .containsExactly(new InterruptMessage(3, false, Delivery.NMI, 0, true));
    assertThat(get(0x10 + 10) & REMOTE_IRR).isZero();
  }

  @Test
  void narrow_reads_see_the_register_s_bytes() {
    write(0, 1);
    assertThat(read(0x10, 1)).isEqualTo(0x20);
    assertThat(read(0x12, 1)).isEqualTo(0x17);
    assertThat(read(0, 1)).isEqualTo(1);
  }
}
