package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.boot.Image;
import dev.troupe.runtime.boot.KernelImage;
import dev.troupe.vmctl.VmctlProcess;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Debian's own kernels, unmodified, from {@code vmctl run} to the exit code. */
class DebianGuestIT {
  /** Generous: the machine may be slow and busy. */
  private static final int BOOT_SECONDS = 240;

  private static final int GENERIC_BOOT_SECONDS = 600;
  private static final int SECONDS = 60;

  /** e_shoff of an ELF64. */
  private static final int SECTION_HEADERS = 0x28;

  private static final int CUTS = 20_000;

  /** What {@code seq 1 20000} prints. */
  private static final String SEQ_20000 =
      IntStream.rangeClosed(1, 20_000).mapToObj(n -> n + "\n").collect(Collectors.joining());

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
    return guest(files.kernel(), words, options);
  }

  private static VmctlProcess guest(Path kernel, String words, String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of("run", "--kernel", kernel.toString()));
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

  /**
   * What is inside the bzImage, entered by Xen's PVH entry instead of Linux's own. The kernel knows
   * that it was: it fills its boot parameters itself then, with a loader type for PVH without Xen
   * and protocol 2.12 (arch/x86/platform/pvh/enlighten.c), where a bzImage's header tells 255 and
   * its own version.
   */
  @Test
  void thePvhEntryBootsToAShellAndPowersOff(@TempDir Path folder) throws Exception {
    Path kernel = folder.resolve("vmlinux");
    Files.write(kernel, Vmlinux.of(Files.readAllBytes(cloud.kernel())));
    String[] options = {
      "run",
      "--kernel",
      kernel.toString(),
      "--initrd",
      cloud.initrd().toString(),
      "--append",
      "console=ttyS0 quiet pvh.word=heard",
      "--memory",
      "5G"
    };
    try (VmctlProcess vmctl = VmctlProcess.start(options)) {
      int at = vmctl.await("/root #", 0, BOOT_SECONDS);
      vmctl.type("echo type=$(cat /proc/sys/kernel/bootloader_type)\n");
      at = vmctl.await("type=" + 0xB0, at, SECONDS);
      vmctl.type("cat /sys/kernel/boot_params/version /proc/cmdline\n");
      at = vmctl.await("0x020c", at, SECONDS);
      at = vmctl.await("console=ttyS0 quiet pvh.word=heard", at, SECONDS);
      vmctl.type("dmesg | grep -e e820: -e RSDP -e RAMDISK\n");
      at = vmctl.await("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable", at, 60);
      at = vmctl.await("BIOS-e820: [mem 0x0000000100000000-0x000000017fffffff] usable", at, 60);
      at = vmctl.await("RAMDISK: [mem", at, SECONDS);
      vmctl.await("ACPI: RSDP 0x00000000000E0000", at, SECONDS);
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
    }
  }

  @Test
  void aVmlinuxCutAnywhereIsOneClearLine() throws Exception {
    byte[] whole = Vmlinux.of(Files.readAllBytes(cloud.kernel()));
    long end = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(SECTION_HEADERS);
    assertThat(KernelImage.parse(Image.of("vmlinux", whole)).format()).isEqualTo("PVH ELF");
    SplittableRandom random = new SplittableRandom(CUTS);
    for (int i = 0; i < CUTS; i++) {
      long size = i < CUTS / 2 ? i : random.nextLong(end);
      MemorySegment cut = MemorySegment.ofArray(whole).asSlice(0, size);
      assertThatThrownBy(() -> KernelImage.parse(new Image("vmlinux", cut)))
          .as("cut at %d", size)
          .isInstanceOf(BadImageException.class)
          .hasMessageStartingWith("vmlinux: ")
          .hasMessageNotContaining("\n");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "auto, troupe-v1-noxsave, sse4_2, xsave, Troupe v1 virtual CPU",
    "interpreter, x86-64, pni, sse4_2, Troupe x86-64 virtual CPU"
  })
  void theCloudKernelBootsToAShellOnEach64BitModel(
      String engine, String model, String has, String lacks, String brand) throws Exception {
    String[] options = {"run", "debian", "--append", "quiet", "--cpu", model, "--engine", engine};
    try (VmctlProcess vmctl = VmctlProcess.start(options)) {
      String flags = "uname=x86_64 has=1 lacks=0 " + brand;
      lookAtTheCpuAndPowerOff(vmctl, BOOT_SECONDS, flags, has, lacks, "$n");
    }
  }

  /** The kernel that the oldest model takes, and that the newest takes as well. */
  @ParameterizedTest
  @CsvSource({"pentium3, sse, sse2", "troupe-v1, sse4_2, avx"})
  void the32BitKernelBootsToAShell(String model, String has, String lacks) throws Exception {
    String[] options = {"run", "debian-i386", "--append", "quiet", "--cpu", model};
    try (VmctlProcess vmctl = VmctlProcess.start(options)) {
      String flags = "uname=i686 has=1 lacks=0";
      lookAtTheCpuAndPowerOff(vmctl, GENERIC_BOOT_SECONDS, flags, has, lacks, "");
    }
  }

  /** Compatibility mode: the user space is the 32-bit image's busybox, whose libc uses GS. */
  @ParameterizedTest
  @ValueSource(strings = {"interpreter", "translator"})
  void the64BitKernelRuns32BitPrograms(String engine) throws Exception {
    String[] options = {
      "run",
      "--kernel",
      cloud.kernel().toString(),
      "--initrd",
      files("debian-i386").initrd().toString(),
      "--append",
      "console=ttyS0 quiet",
      "--engine",
      engine
    };
    try (VmctlProcess vmctl = VmctlProcess.start(options)) {
      int at = vmctl.await("/root #", 0, BOOT_SECONDS);
      vmctl.type("echo $(uname -m) $(dd if=/bin/busybox bs=1 count=5 | od -An -t x1)\n");
      at = vmctl.await("x86_64 7f 45 4c 46 01", at, SECONDS); // ELFCLASS32
      vmctl.type("seq 1 20000 | sha256sum\n");
      at = vmctl.await(sha256(SEQ_20000), at, SECONDS);
      vmctl.type("seq 1 20000 | gzip | gunzip | awk '{ s += $1 * $1 } END { print s / 2 }'\n");
      vmctl.await("1333433335000", at, SECONDS);
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
    }
  }

  private static String sha256(String text) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private static void lookAtTheCpuAndPowerOff(
      VmctlProcess vmctl, int bootSeconds, String expected, String has, String lacks, String name)
      throws Exception {
    int at = vmctl.await("/root #", 0, bootSeconds);
    vmctl.type("n=$(sed -n 's/^model name.*: //p' /proc/cpuinfo)\n");
    vmctl.type("f() { grep -c -w $1 /proc/cpuinfo; }\n");
    vmctl.type("echo uname=$(uname -m) has=$(f %s) lacks=$(f %s) %s\n".formatted(has, lacks, name));
    vmctl.await(expected, at, SECONDS);
    vmctl.type("poweroff -f\n");
    assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
  }

  @Test
  void a64BitKernelIsRefusedByAModelWithoutLongMode() throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start("run", "debian", "--cpu", "pentium3")) {
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isEqualTo(4);
      assertThat(vmctl.output()).containsOnlyOnce("a 64-bit kernel").hasLineCount(1);
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
