package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Locked instructions, locks, and whole values (src/guest/smp/atomics.c). */
class AtomicsIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("atomics", folder, 1);
  }

  @ParameterizedTest
  @CsvSource({"PARALLEL, 2", "PARALLEL, 4", "PARALLEL_TRANSLATED, 2", "PARALLEL_TRANSLATED, 4"})
  void nothingIsLostOrTornAtAnySizeAndAlignment(SmpGuest.Schedule schedule, int cpus)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, cpus, "ms=40");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"DETERMINISTIC", "DETERMINISTIC_TRANSLATED"})
  void theDeterministicScheduleLosesNothing(SmpGuest.Schedule schedule) throws Exception {
    SmpGuest.Result result = guest.run(schedule, 4, "ms=1");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(4, "ms=5");
  }
}
