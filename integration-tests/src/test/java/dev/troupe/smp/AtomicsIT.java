package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Locked instructions, locks, and whole values (src/guest/smp/atomics.c). */
class AtomicsIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("atomics", folder, 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void nothingIsLostOrTornAtAnySizeAndAlignment(int cpus) throws Exception {
    SmpGuest.Result result = guest.run(SmpGuest.Schedule.PARALLEL, cpus, "ms=40");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void theDeterministicScheduleLosesNothing() throws Exception {
    SmpGuest.Result result = guest.run(SmpGuest.Schedule.DETERMINISTIC, 4, "ms=1");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(4, "ms=5");
  }
}
