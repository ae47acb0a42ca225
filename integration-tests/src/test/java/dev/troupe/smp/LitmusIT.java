package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The order in which processors see each other's loads and stores (src/guest/smp/litmus.c). */
class LitmusIT {
  @TempDir static Path folder;

  private static SmpGuest guest;

  @BeforeAll
  static void build() {
    guest = SmpGuest.build("litmus", folder, 1);
  }

  /**
   * Store buffering has to be seen: without it these tests would only show that nothing overlaps.
   */
  @ParameterizedTest
  @EnumSource(names = {"PARALLEL", "PARALLEL_TRANSLATED"})
  void twoVcpusAtOnceHaveTheOrderOfX86TsoAndNoStronger(SmpGuest.Schedule schedule)
      throws Exception {
    SmpGuest.Result result = guest.run(schedule, 2, "ms=250");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"PARALLEL", "PARALLEL_TRANSLATED"})
  void threeAndFourVcpusAgreeOnTheOrderOfStores(SmpGuest.Schedule schedule) throws Exception {
    String tests = "ms=500 run=WRC,RWC+mfence,IRIW,IRIW+lock";
    SmpGuest.Result result = guest.run(schedule, 4, tests);
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"DETERMINISTIC", "DETERMINISTIC_TRANSLATED"})
  void theDeterministicScheduleHasNoOtherOrder(SmpGuest.Schedule schedule) throws Exception {
    SmpGuest.Result result = guest.run(schedule, 4, "ms=3 relaxed=0");
    assertThat(result.passed()).as(result.report()).isTrue();
  }

  /**
   * So that a forbidden outcome can only be ours. QEMU's translated code has no fence at the
   * serializing instructions (LIDT, CPUID, moves to control registers: SDM vol. 3A, 9.3): a store
   * before one of them is now and then seen after a load behind it, so they are left out.
   */
  @Test
  void qemuPassesTheSameBinary() {
    guest.inQemu(4, "ms=20 relaxed=0 serializing=0");
  }
}
