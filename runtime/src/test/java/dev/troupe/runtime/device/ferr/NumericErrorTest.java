package dev.troupe.runtime.device.ferr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.snapshot.States;
import org.junit.jupiter.api.Test;

/** Properties of the latches between FERR#, interrupt request 13 and IGNNE#. */
final class NumericErrorTest {
  private final NumericError device = new NumericError();
  private final DeviceBench bench = new DeviceBench(device);

  private void levels(boolean request, boolean ignore) {
    assertThat(bench.level(NumericError.OUTPUT_IRQ)).as("request 13").isEqualTo(request);
    assertThat(bench.level(NumericError.OUTPUT_IGNORE)).as("IGNNE#").isEqualTo(ignore);
  }

  @Test
  void an_error_requests_until_port_f0_is_written_and_is_ignored_until_it_has_gone() {
    bench.line(0, 1);
    levels(true, false);
    bench.out(NumericError.PORT, 0);
    levels(false, true);
    bench.out(NumericError.PORT, 0xFF);
    levels(false, true);
    bench.line(0, 0);
    levels(false, false);
    bench.line(0, 1);
    levels(true, false);
  }

  @Test
  void a_request_outlasts_its_error() {
    bench.line(0, 1);
    bench.line(0, 0);
    levels(true, false);
    bench.line(0, 1);
    assertThat(bench.rises(NumericError.OUTPUT_IRQ)).as("no second edge").hasSize(1);
    bench.line(0, 0);
    bench.out(NumericError.PORT, 0);
    levels(false, false);
  }

  @Test
  void without_an_error_nothing_is_ignored() {
    bench.out(NumericError.PORT, 0);
    levels(false, false);
    bench.line(0, 1);
    levels(true, false);
  }

  @Test
  void the_pins_of_all_processors_are_one_wire() {
    bench.line(3, 1);
    bench.line(63, 1);
    assertThat(bench.rises(NumericError.OUTPUT_IRQ)).hasSize(1);
    bench.out(NumericError.PORT, 0);
    bench.line(3, 0);
    levels(false, true);
    bench.line(63, 0);
    levels(false, false);
  }

  @Test
  void the_port_cannot_be_read() {
    bench.line(0, 1);
    assertThat(bench.in(NumericError.PORT)).isEqualTo(0xFF);
    levels(true, false);
  }

  @Test
  void reset_clears_everything() {
    bench.line(5, 1);
    bench.out(NumericError.PORT, 0);
    bench.send(new BoardMessage.Reset());
    levels(false, false);
    assertThat(States.diff(device, new NumericError())).isEmpty();
  }

  @Test
  void a_restored_device_goes_on_as_the_saved_one() {
    bench.line(5, 1);
    bench.out(NumericError.PORT, 0);
    NumericError other = new NumericError();
    States.copy(device, other);
    assertThat(States.diff(device, other)).isEmpty();
    assertThat(States.listing(other)).contains("errors=0x20");
  }
}
