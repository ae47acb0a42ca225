package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A machine that is reset while its vCPUs are at something (src/guest/smp/reset.c). */
class ResetIT {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void afterEachResetAllVcpusStartAsAfterPowerOn(SmpGuest.Schedule schedule) throws Exception {
    SmpGuest.Result result = SmpGuest.build("reset", folder, 1).run(schedule, 4, "resets=30");
    assertThat(result.passed()).as(result.report()).isTrue();
  }
}
