package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GbenchIT {
  private static final long LIMIT_SECONDS = 120;

  /** So that a bad check in a guest can only be the guest's. */
  @Test
  void everyCheckIsOkOnTheHostItself() throws Exception {
    Process process =
        new ProcessBuilder(List.of(GbenchGuest.binary().toString(), "-s", "0.1"))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).contains("ok").doesNotContain("BAD");
  }

  @Test
  void theInitrdIsTheSameForTheSameFiles(@TempDir Path folder) throws Exception {
    Path busybox = Files.writeString(folder.resolve("busybox"), "stands for it");
    byte[] first = Files.readAllBytes(GbenchGuest.initrd(busybox));
    assertThat(Files.readAllBytes(GbenchGuest.initrd(busybox)))
        .isEqualTo(first)
        .hasSizeGreaterThan(100_000);
  }
}
