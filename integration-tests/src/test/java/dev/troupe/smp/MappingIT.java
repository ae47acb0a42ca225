package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Translations and code that another vCPU changes (src/guest/smp/mapping.c). */
class MappingIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("mapping", folder, 1);
  }

  @ParameterizedTest
  @CsvSource({"PARALLEL, 2", "PARALLEL, 4", "PARALLEL_TRANSLATED, 2", "PARALLEL_TRANSLATED, 4"})
  void whoHasBeenToldUsesNoOldTranslationAndNoOldCode(SmpGuest.Schedule schedule, int cpus)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, cpus, "ms=400");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"DETERMINISTIC", "DETERMINISTIC_TRANSLATED"})
  void norDoesTheDeterministicSchedule(SmpGuest.Schedule schedule) throws Exception {
    SmpGuest.Result result = guest.run(schedule, 4, "ms=5");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  /** Without the code that is changed untold: QEMU may translate it in between, and keep that. */
  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(3, "ms=50 run=moving,protect,code");
  }
}
