package dev.troupe.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GbenchRunTest {
  @Test
  void aTestsLineHasItsNameAndItsTimeAnIteration() {
    assertThat(GbenchRun.parse("cold-again     148407.0     2000    0.297 ok"))
        .contains(Map.entry("cold-again", 148407.0));
    assertThat(GbenchRun.parse("mt-spin     76336986.5      200   15.267 -"))
        .contains(Map.entry("mt-spin", 76336986.5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "int             17582.0      300    0.039 BAD:0x1/0x2",
        "# gbench 1 scale=20% threads=1 cpus=1",
        "# total 3.993 s, all checks ok",
        "GUEST-READY kernel=6.1.0-56-cloud-amd64 cpus=1 memkb=480284 clock=tsc uptime=2.15",
        ""
      })
  void anyOtherLineIsNoTime(String line) {
    assertThat(GbenchRun.parse(line)).isEmpty();
  }
}
