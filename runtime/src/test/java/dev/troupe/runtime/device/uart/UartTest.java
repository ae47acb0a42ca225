package dev.troupe.runtime.device.uart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.snapshot.States;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Properties of the 16550A by the PC16550D datasheet, and that no console byte is lost. */
final class UartTest {
  private static final int DATA = 0x3F8;
  private static final int IER = 0x3F9;
  private static final int IIR = 0x3FA;
  private static final int LCR = 0x3FB;
  private static final int MCR = 0x3FC;
  private static final int LSR = 0x3FD;
  private static final int MSR = 0x3FE;
  private static final long CHARACTER = 86_806;

  private final DeviceBench bench = new DeviceBench(new Uart("uart0"));

  private void input(String text) {
    bench.room -= text.length();
    bench.send(new BoardMessage.ConsoleInput(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private String output() {
    return bench.output.toString(StandardCharsets.US_ASCII);
  }

  private void fifo(int trigger) {
    bench.out(IIR, trigger << 6 | 1);
  }

  @Test
  void output_leaves_at_once_and_the_transmitter_is_empty_again() {
    bench.out(DATA, 'h');
    bench.out(DATA, 'i');
    assertThat(output()).isEqualTo("hi");
    assertThat(bench.in(LSR)).isEqualTo(0x60);
  }

  @Test
  void output_waits_when_the_backend_has_no_room_and_nothing_is_lost() {
    fifo(0);
    StringBuilder sent = new StringBuilder();
    for (int i = 0; i < Uart.OUTPUT_WINDOW + 16; i++) {
      bench.out(DATA, 'a' + i % 26);
      sent.append((char) ('a' + i % 26));
    }
    assertThat(bench.output.size()).isEqualTo(Uart.OUTPUT_WINDOW);
    assertThat(bench.in(LSR) & 0x60).as("not empty").isZero();
    bench.out(IER, 2);
    bench.out(MCR, 8);
    assertThat(bench.level(0)).isFalse();
    bench.send(new BoardMessage.ConsoleRoom(100));
    assertThat(output()).isEqualTo(sent.toString());
    assertThat(bench.in(LSR) & 0x60).isEqualTo(0x60);
    assertThat(bench.level(0)).as("THRE").isTrue();
    assertThat(bench.in(IIR)).isEqualTo(0xC2);
  }

  @Test
  void the_window_is_granted_once_and_again_as_the_guest_reads() {
    assertThat(bench.room).isEqualTo(Uart.INPUT_WINDOW);
    input("abc");
    bench.out(IER, 1);
    bench.advance(10 * CHARACTER);
    assertThat(bench.in(DATA)).isEqualTo('a');
    assertThat(bench.room).isEqualTo(Uart.INPUT_WINDOW - 2);
    bench.send(new BoardMessage.Reset());
    assertThat(bench.room).as("what waits still waits").isEqualTo(Uart.INPUT_WINDOW - 2);
  }

  @Test
  void input_waits_until_the_guest_enables_its_interrupt() {
    input("x");
    bench.advance(100 * CHARACTER);
    assertThat(bench.in(LSR) & 1).isZero();
    bench.out(MCR, 8);
    bench.out(IER, 1);
    assertThat(bench.in(LSR) & 1).as("a character's time").isZero();
    bench.advance(CHARACTER);
    assertThat(bench.level(0)).isTrue();
    assertThat(bench.in(IIR)).isEqualTo(0x04);
    assertThat(bench.in(DATA)).isEqualTo('x');
    assertThat(bench.level(0)).isFalse();
    assertThat(bench.in(IIR)).isEqualTo(0x01);
  }

  @Test
  void a_polling_guest_gets_its_input_without_interrupts() {
    input("ok");
    StringBuilder got = new StringBuilder();
    for (int i = 0; i < 1_000 && got.length() < 2; i++) {
      if ((bench.in(LSR) & 1) != 0) {
        got.append((char) bench.in(DATA));
      }
      bench.advance(1_000);
    }
    assertThat(got.toString()).isEqualTo("ok");
  }

  @Test
  void looking_before_each_output_byte_is_no_polling() {
    input("x");
    for (int i = 0; i < 1_000; i++) {
      assertThat(bench.in(LSR)).isEqualTo(0x60);
      bench.out(DATA, '.');
      bench.in(LSR);
      bench.advance(CHARACTER);
    }
  }

  @Test
  void input_before_and_between_drivers_is_kept() {
    input("early");
    // As Linux's 8250 driver starts and shuts a port down, twice.
    StringBuilder got = new StringBuilder();
    for (int round = 0; round < 2; round++) {
      bench.out(IIR, 0x01);
      bench.out(IIR, 0x07);
      bench.out(IIR, 0x00);
      bench.in(LSR);
      bench.in(DATA);
      bench.in(IIR);
      bench.in(MSR);
      bench.out(IIR, 0x81);
      bench.out(MCR, 0x0B);
      bench.out(IER, 0x05);
      for (int i = 0; i < (round == 0 ? 2 : 3); i++) {
        bench.advance(CHARACTER);
        while ((bench.in(LSR) & 1) != 0) {
          got.append((char) bench.in(DATA));
        }
      }
      bench.advance(3 * CHARACTER);
      bench.out(IER, 0);
      bench.out(IIR, 0x07);
      bench.out(IIR, 0x00);
      bench.in(DATA);
    }
    assertThat(got.toString()).isEqualTo("early");
  }

  @Test
  void the_fifo_interrupts_at_its_trigger_level_and_after_a_time_out() {
    int[] levels = {1, 4, 8, 14};
    for (int trigger = 0; trigger < 4; trigger++) {
      DeviceBench port = new DeviceBench(new Uart("uart0"));
      port.out(IIR, trigger << 6 | 1);
      port.out(MCR, 8);
      port.out(IER, 1);
      byte[] bytes = new byte[levels[trigger]];
      Arrays.fill(bytes, (byte) 'z');
      port.send(new BoardMessage.ConsoleInput(bytes));
      port.advance((levels[trigger] - 1) * CHARACTER);
      assertThat(port.level(0)).as("trigger %d", levels[trigger]).isFalse();
      port.advance(CHARACTER);
      assertThat(port.in(IIR)).as("trigger %d", levels[trigger]).isEqualTo(0xC4);
      port.in(DATA);
      if (trigger == 0) {
        continue;
      }
      assertThat(port.level(0)).as("below the trigger").isFalse();
      port.advance(4 * CHARACTER - 1);
      assertThat(port.level(0)).isFalse();
      port.advance(1);
      assertThat(port.in(IIR)).as("character time-out").isEqualTo(0xCC);
      port.in(DATA);
      assertThat(port.in(IIR)).isEqualTo(0xC1);
    }
  }

  @Test
  void the_transmit_interrupt_comes_with_its_enable_and_ends_with_reading_its_identity() {
    bench.out(MCR, 8);
    bench.out(IER, 2);
    assertThat(bench.level(0)).isTrue();
    assertThat(bench.in(IIR)).isEqualTo(0x02);
    assertThat(bench.level(0)).isFalse();
    bench.out(DATA, 'x');
    assertThat(bench.level(0)).isTrue();
    bench.out(IER, 0);
    assertThat(bench.level(0)).isFalse();
    bench.out(IER, 2);
    assertThat(bench.level(0)).isTrue();
  }

  @Test
  void the_interrupt_leaves_the_chip_only_while_out2_is_set() {
    bench.out(IER, 2);
    assertThat(bench.level(0)).isFalse();
    assertThat(bench.in(IIR)).isEqualTo(0x02);
    bench.out(DATA, 'x');
    bench.out(MCR, 8);
    assertThat(bench.level(0)).isTrue();
    bench.out(MCR, 0x18);
    assertThat(bench.level(0)).as("OUT2 is inactive in loop-back").isFalse();
  }

  @Test
  void loop_back_returns_bytes_and_modem_lines() {
    bench.out(LCR, 3);
    bench.out(MCR, 0x10);
    bench.out(DATA, 0xA5);
    assertThat(bench.in(LSR) & 1).isEqualTo(1);
    assertThat(bench.in(DATA)).isEqualTo(0xA5);
    assertThat(output()).isEmpty();
    bench.in(MSR);
    bench.out(MCR, 0x1A); // Linux's test for the chip: RTS and OUT2
    assertThat(bench.in(MSR)).isEqualTo(0x90 | 0x09);
    bench.out(MCR, 0x15); // DTR and OUT1
    assertThat(bench.in(MSR)).isEqualTo(0x60 | 0x0B);
    bench.out(MCR, 0x11);
    assertThat(bench.in(MSR)).as("the ring's end").isEqualTo(0x20 | 0x04);
    bench.out(LCR, 0);
    bench.out(DATA, 0xFF);
    assertThat(bench.in(DATA)).as("5-bit words").isEqualTo(0x1F);
  }

  @Test
  void loop_back_overrun_is_reported_once() {
    bench.out(MCR, 0x10);
    bench.out(LCR, 3);
    bench.out(DATA, 1);
    bench.out(DATA, 2);
    assertThat(bench.in(LSR) & 3).isEqualTo(3);
    assertThat(bench.in(LSR) & 3).isEqualTo(1);
    assertThat(bench.in(DATA)).isEqualTo(2);
  }

  @Test
  void outside_loop_back_the_far_end_is_ready() {
    assertThat(bench.in(MSR)).isEqualTo(0xB0);
  }

  @Test
  void the_divisor_latch_hides_data_and_enables() {
    bench.out(IER, 5);
    bench.out(LCR, 0x83);
    bench.out(DATA, 0x34);
    bench.out(IER, 0x12);
    assertThat(bench.in(DATA)).isEqualTo(0x34);
    assertThat(bench.in(IER)).isEqualTo(0x12);
    bench.out(LCR, 0x03);
    assertThat(bench.in(IER)).isEqualTo(5);
    assertThat(output()).isEmpty();
  }

  @Test
  void registers_identify_a_16550a() {
    bench.out(0x3FF, 0x5A);
    assertThat(bench.in(0x3FF)).isEqualTo(0x5A);
    assertThat(bench.in(IIR)).isEqualTo(0x01);
    fifo(0);
    assertThat(bench.in(IIR)).isEqualTo(0xC1);
    bench.out(IER, 0xFF);
    assertThat(bench.in(IER)).isEqualTo(0x0F);
  }

  @Test
  void more_input_than_granted_is_an_overrun() {
    bench.send(new BoardMessage.ConsoleInput(new byte[Uart.INPUT_WINDOW + 1]));
    assertThat(bench.in(LSR) & 2).isEqualTo(2);
  }

  @Test
  void any_guest_gets_every_byte_in_order() {
    for (long seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      DeviceBench port = new DeviceBench(new Uart("uart0"));
      ByteArrayOutputStream sent = new ByteArrayOutputStream();
      ByteArrayOutputStream got = new ByteArrayOutputStream();
      for (int step = 0; step < 20_000; step++) {
        switch (random.nextInt(8)) {
          case 0 -> {
            byte[] bytes = new byte[Math.min(port.room, random.nextInt(40))];
            random.nextBytes(bytes);
            sent.writeBytes(bytes);
            port.room -= bytes.length;
            port.send(new BoardMessage.ConsoleInput(bytes));
          }
          case 1 -> port.out(IER, random.nextInt(16));
          case 2 -> port.out(IIR, random.nextInt(256));
          case 3 -> port.out(DATA, random.nextInt(256));
          case 4 -> {
            States.copy(port.device, port.device);
            if (random.nextInt(50) == 0) {
              port.send(new BoardMessage.Reset());
            }
          }
          case 5 -> port.advance(random.nextLong(20 * CHARACTER));
          default -> {
            while ((port.in(LSR) & 1) != 0) {
              got.write(port.in(DATA));
            }
          }
        }
      }
      port.out(IER, 1);
      for (int i = 0; i < Uart.INPUT_WINDOW + 16; i++) {
        port.advance(CHARACTER);
        while ((port.in(LSR) & 1) != 0) {
          got.write(port.in(DATA));
        }
      }
      assertThat(got.toByteArray()).as("seed %d", seed).isEqualTo(sent.toByteArray());
      assertThat(port.room).as("seed %d", seed).isEqualTo(Uart.INPUT_WINDOW);
    }
  }
}
