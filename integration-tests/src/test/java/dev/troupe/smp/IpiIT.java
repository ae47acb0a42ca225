package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Interprocessor interrupts of all modes, to processors that halt (src/guest/smp/ipi.c). */
class IpiIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("ipi", folder, 1);
  }

  @ParameterizedTest
  @EnumSource
  void everyModeReachesAndWakesThoseItNamesAndNobodyElse(SmpGuest.Schedule schedule)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, 4, "");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  /** What QEMU's local APIC does otherwise, or not at all as x2APIC, is left out. */
  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(4, "quirks=0");
  }
}
