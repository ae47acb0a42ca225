package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Interrupts of all sources at once, their destinations and windows changing; then the 8259s with
 * lines that fall too early (src/guest/smp/storm.c).
 */
class InterruptStormIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("storm", folder, 1);
  }

  @ParameterizedTest
  @CsvSource({"PARALLEL, 2", "PARALLEL, 4", "PARALLEL_TRANSLATED, 2", "PARALLEL_TRANSLATED, 4"})
  void noInterruptIsLostOrComesTwice(SmpGuest.Schedule schedule, int cpus) throws Exception {
    SmpGuest.Result result = guest.run(schedule, cpus, "ms=1500");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void noneIsLostOverPauses() throws Exception {
    SmpGuest.Result result =
        guest.runWithPauses(SmpGuest.Schedule.PARALLEL, 3, "ms=1000 run=storm");
    assertThat(result.passed()).as(result.report()).isTrue();
    result = guest.runWithPauses(SmpGuest.Schedule.DETERMINISTIC, 3, "ms=20 run=storm");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  /** The report counts steps and interrupts of all kinds. */
  @Test
  void aDeterministicRunIsTheSameEachTimeAndOverPauses() throws Exception {
    SmpGuest.Result first = guest.run(SmpGuest.Schedule.DETERMINISTIC, 3, "ms=5");
    assertThat(guest.run(SmpGuest.Schedule.DETERMINISTIC, 3, "ms=5")).isEqualTo(first);
    assertThat(guest.runWithPauses(SmpGuest.Schedule.DETERMINISTIC, 3, "ms=5")).isEqualTo(first);
  }

  @ParameterizedTest
  @EnumSource(names = {"DETERMINISTIC", "DETERMINISTIC_TRANSLATED"})
  void theDeterministicScheduleLosesNone(SmpGuest.Schedule schedule) throws Exception {
    SmpGuest.Result result = guest.run(schedule, 4, "ms=50");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(2, "ms=200");
  }
}
