package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.vmctl.VmctlProcess;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Debian's cloud kernel on either engine with several vCPUs, and gbench's tests in it. */
class DebianSmpIT {
  /** Generous: the machine may be slow and busy, and have fewer cores than the guest. */
  private static final int SECONDS = 600;

  @ParameterizedTest
  @CsvSource({
    "interpreter, 2, -T",
    "interpreter, 4, -T",
    "translator, 1, -A",
    "translator, 2, -A",
    "translator, 4, -A"
  })
  void theKernelBringsUpAllVcpusAndItsUserSpaceComputesRight(String engine, int cpus, String tests)
      throws Exception {
    GuestFiles files =
        GuestImages.ofUser(Progress.SILENT).get(GuestImage.named("debian").orElseThrow());
    List<String> arguments = new ArrayList<>(List.of("run"));
    arguments.addAll(
        GbenchGuest.arguments(
            files,
            "g.mode=bench g.args=-s,0.2," + tests,
            "--engine",
            engine,
            "--cpus",
            Integer.toString(cpus)));
    try (VmctlProcess vmctl = VmctlProcess.start(List.of(), arguments)) {
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
      assertThat(vmctl.output())
          .contains("GUEST-READY", " cpus=" + cpus + " ", "mt-dekker", "BENCH-RC 0", "GUEST-DONE")
          .doesNotContain("BAD");
    }
  }
}
