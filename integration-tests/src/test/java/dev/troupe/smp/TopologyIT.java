package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.SystemFeature;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What vCPUs are told of themselves and of each other, and that their clocks agree
 * (src/guest/smp/topology.c).
 */
class TopologyIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("topology", folder, 1);
  }

  @ParameterizedTest
  @CsvSource({
    "PARALLEL, 1",
    "PARALLEL, 2",
    "PARALLEL, 3",
    "PARALLEL, 4",
    "PARALLEL, 8",
    "PARALLEL, 64",
    "PARALLEL_TRANSLATED, 1",
    "PARALLEL_TRANSLATED, 3",
    "PARALLEL_TRANSLATED, 64"
  })
  void eachVcpuKnowsItsIdAndNoClockIsBehindAnother(SmpGuest.Schedule schedule, int cpus)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, cpus, "ms=100");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "DETERMINISTIC, 3, 10",
    "DETERMINISTIC, 64, 1",
    "DETERMINISTIC_TRANSLATED, 3, 10",
    "DETERMINISTIC_TRANSLATED, 64, 1"
  })
  void soItIsInTheDeterministicSchedule(SmpGuest.Schedule schedule, int cpus, int milliseconds)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, cpus, "ms=" + milliseconds);
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"DETERMINISTIC", "DETERMINISTIC_TRANSLATED"})
  void allModelsOf64BitsNumberTheirProcessors(SmpGuest.Schedule schedule) throws Exception {
    for (CpuModel model : CpuModel.all()) {
      if (!model.has(SystemFeature.LM)) {
        continue; // the guest is a 64-bit one
      }
      SmpGuest.Result result = guest.model(model.name()).run(schedule, 5, "ms=1");
      assertThat(result.passed()).as(model.name() + ": " + result.report()).isTrue();
    }
  }

  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(3, "ms=50");
  }
}
