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

  @ParameterizedTest
  @CsvSource({
    "PARALLEL, 1000",
    "PARALLEL_TRANSLATED, 1000",
    "DETERMINISTIC, 20",
    "DETERMINISTIC_TRANSLATED, 20"
  })
  void noneIsLostOverPauses(SmpGuest.Schedule schedule, int milliseconds) throws Exception {
    SmpGuest.Result result = guest.runWithPauses(schedule, 3, "ms=" + milliseconds + " run=storm");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  /** The report counts steps and interrupts of all kinds. */
  @Test
  void aDeterministicRunIsTheSameEachTimeOnEitherEngineAndOverPauses() throws Exception {
    SmpGuest.Schedule interpreted = SmpGuest.Schedule.DETERMINISTIC;
    SmpGuest.Schedule translated = SmpGuest.Schedule.DETERMINISTIC_TRANSLATED;
    SmpGuest.Result first = guest.run(interpreted, 3, "ms=5");
    assertThat(guest.run(interpreted, 3, "ms=5")).isEqualTo(first);
    assertThat(guest.run(translated, 3, "ms=5")).isEqualTo(first);
    assertThat(guest.runWithPauses(interpreted, 3, "ms=5")).isEqualTo(first);
    assertThat(guest.runWithPauses(translated, 3, "ms=5")).isEqualTo(first);
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
