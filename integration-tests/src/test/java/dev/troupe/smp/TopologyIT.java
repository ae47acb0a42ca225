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
import org.junit.jupiter.params.provider.ValueSource;

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
  @ValueSource(ints = {1, 2, 3, 4, 8, 64})
  void eachVcpuKnowsItsIdAndNoClockIsBehindAnother(int cpus) throws Exception {
    SmpGuest.Result result = guest.run(SmpGuest.Schedule.PARALLEL, cpus, "ms=100");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"3, 10", "64, 1"})
  void soItIsInTheDeterministicSchedule(int cpus, int milliseconds) throws Exception {
    SmpGuest.Result result = guest.run(SmpGuest.Schedule.DETERMINISTIC, cpus, "ms=" + milliseconds);
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void allModelsOf64BitsNumberTheirProcessors() throws Exception {
    for (CpuModel model : CpuModel.all()) {
      if (!model.has(SystemFeature.LM)) {
        continue; // the guest is a 64-bit one
      }
      SmpGuest.Result result =
          guest.model(model.name()).run(SmpGuest.Schedule.DETERMINISTIC, 5, "ms=1");
      assertThat(result.passed()).as(model.name() + ": " + result.report()).isTrue();
    }
  }

  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(3, "ms=50");
  }
}
