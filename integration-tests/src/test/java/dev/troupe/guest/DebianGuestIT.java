package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.vmctl.VmctlProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Debian's own kernels, unmodified, from {@code vmctl run} to the exit code. */
class DebianGuestIT {
  /** Generous: the machine may be slow and busy. */
  private static final int BOOT_SECONDS = 240;

  private static final int GENERIC_BOOT_SECONDS = 600;
  private static final int SECONDS = 60;

  private static GuestFiles cloud;
  private static String initrd;

  @BeforeAll
  static void fetch() throws Exception {
    cloud = files("debian");
    initrd = GbenchGuest.initrd(cloud.busybox()).toString();
  }

  private static GuestFiles files(String image) {
    return GuestImages.ofUser(Progress.SILENT).get(GuestImage.named(image).orElseThrow());
  }

  private static VmctlProcess guest(GuestFiles files, String words, String... options)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("run", "--kernel", files.kernel().toString()));
    all.addAll(List.of("--initrd", initrd, "--append", "console=ttyS0 " + words));
    all.addAll(List.of(options));
    return VmctlProcess.start(all.toArray(String[]::new));
  }

  @Test
  void theNamedImageBootsToAShellThatTakesCommandsAndPowersOff() throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start("run", "debian")) {
      int at = vmctl.await("/root #", 0, BOOT_SECONDS);
      vmctl.type("echo sum=$((6*7)); tty; free -m | awk '/Mem/ { print \"mem=\" $2 }'\n");
      at = vmctl.await("sum=42", at, SECONDS);
      at = vmctl.await("/dev/ttyS0", at, SECONDS);
      at = vmctl.await("mem=4", at, SECONDS);
      vmctl.await("/root #", at, SECONDS);
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
    }
  }

  @Test
  void theEndOfTheInputDoesNotEndTheGuest() throws Exception {
    try (VmctlProcess vmctl = guest(cloud, "g.mode=ready", "--no-reboot")) {
      vmctl.endInput();
      assertThat(vmctl.exitCode(BOOT_SECONDS)).as(vmctl.output()).isZero();
      assertThat(vmctl.output())
          .contains("GUEST-READY", "cpus=1", "GUEST-DONE")
          .doesNotContain("POWEROFF-FAILED");
    }
  }

  @Test
  void aLargeGuestSeesAllItsMemoryAndEveryCheckOfGbenchIsOk() throws Exception {
    String words = "quiet g.mode=bench g.args=-s,1";
    try (VmctlProcess vmctl = guest(cloud, words, "--no-reboot", "--memory", "6G")) {
      assertThat(vmctl.exitCode(2 * BOOT_SECONDS)).as(vmctl.output()).isZero();
      assertThat(vmctl.output()).contains("all checks ok", "BENCH-RC 0").doesNotContain("BAD");
      Matcher memory = Pattern.compile("memkb=([0-9]+)").matcher(vmctl.output());
      assertThat(memory.find()).isTrue();
      // The rest is the kernel itself and its page descriptors.
      assertThat(Long.parseLong(memory.group(1))).isGreaterThan(6_000_000);
    }
  }

  @Test
  void aRebootResetsTheMachineUnlessThatIsNotWanted() throws Exception {
    try (VmctlProcess vmctl = guest(cloud, "g.mode=ready g.off=reboot")) {
      int at = vmctl.await("GUEST-DONE", 0, BOOT_SECONDS);
      at = vmctl.await("Linux version", at, BOOT_SECONDS);
      vmctl.await("GUEST-READY", at, BOOT_SECONDS);
    }
    try (VmctlProcess vmctl = guest(cloud, "quiet g.mode=ready g.off=reboot", "--no-reboot")) {
      assertThat(vmctl.exitCode(BOOT_SECONDS)).as(vmctl.output()).isZero();
    }
  }

  @Test
  void theGenericKernelBootsAndItsDebugExitIsTheExitCode() throws Exception {
    // In /dev/port's way stands the cloud kernel's configuration; the generic one has it.
    try (VmctlProcess vmctl = guest(files("debian-generic"), "quiet g.mode=ready g.off=exit")) {
      vmctl.await("GUEST-READY", 0, GENERIC_BOOT_SECONDS);
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isEqualTo(1);
    }
  }
}
