package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.guest.GbenchGuest;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The run of a deterministic machine does not depend on what it runs on: neither the collector, nor
 * the compilers, nor what else the host has to do, nor the engine. All runs of a test go on at
 * once.
 */
class RepeatableIT {
  /** One of the runs to be compared: a JVM's options, and the engine. */
  private record Run(List<String> jvm, String engine) {
    private static final List<String> SERIAL = List.of();
    private static final List<String> G1 = List.of("-XX:-UseSerialGC", "-XX:+UseG1GC");
    private static final List<String> Z = List.of("-XX:-UseSerialGC", "-XX:+UseZGC");
    private static final List<String> INTERPRETED = List.of("-Xint");

    static Run translator(List<String> jvm) {
      return new Run(jvm, "translator");
    }

    static Run interpreter(List<String> jvm) {
      return new Run(jvm, "interpreter");
    }
  }

  private static final List<String> REPEATABLE =
      List.of("--deterministic", "--no-pacing", "--stats");

  /** Generous: the machine may be slow and busy. */
  private static final int SECONDS = 900;

  @TempDir static Path folder;

  /** The lines of hashes with their positions that such runs print; the last is the end. */
  private static List<List<String>> hashes(List<Run> runs, List<String> arguments)
      throws Exception {
    List<VmctlProcess> running = new ArrayList<>();
    try {
      for (Run run : runs) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--engine", run.engine));
        running.add(VmctlProcess.start(run.jvm, all));
      }
      List<List<String>> all = new ArrayList<>();
      for (VmctlProcess vmctl : running) {
        int exitCode = vmctl.exitCode(SECONDS);
        String output = vmctl.output();
        assertThat(exitCode).as(output).isIn(0, 1); // powered off, or the guest's debug exit
        all.add(output.lines().filter(line -> line.contains("hash: ")).toList());
      }
      return all;
    } finally {
      running.forEach(VmctlProcess::close);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void racingVcpusHaveOneHistoryUnderAnyCollectorAndWithoutCompilers(int cpus) throws Exception {
    SmpGuest guest = SmpGuest.build("atomics", folder, 1);
    List<String> arguments = new ArrayList<>();
    arguments.addAll(
        List.of(
            "run",
            "--kernel",
            guest.kernel().toString(),
            "--append",
            "cpus=" + cpus + " seed=1 ms=2",
            "--cpus",
            Integer.toString(cpus),
            "--hash-every",
            "10ms"));
    arguments.addAll(REPEATABLE);
    List<Run> runs =
        List.of(
            Run.interpreter(Run.SERIAL),
            Run.translator(Run.G1),
            Run.interpreter(Run.Z),
            Run.translator(Run.INTERPRETED));
    List<List<String>> all = hashes(runs, arguments);
    assertThat(all.getFirst()).hasSizeGreaterThan(1).doesNotHaveDuplicates();
    assertThat(all).allMatch(all.getFirst()::equals);
  }

  /** The user space's image is not the kernel's where a 64-bit kernel runs 32-bit programs. */
  @ParameterizedTest
  @CsvSource({
    "debian, debian, 1, G1",
    "debian, debian, 2, Z",
    "debian, debian, 4, SERIAL",
    "debian-i386, debian-i386, 1, G1",
    "debian, debian-i386, 1, Z"
  })
  void aLinuxBootHasOneHistory(String kernel, String user, int cpus, String collector)
      throws Exception {
    List<String> other =
        switch (collector) {
          case "G1" -> Run.G1;
          case "Z" -> Run.Z;
          default -> Run.SERIAL;
        };
    GuestFiles files = files(kernel);
    GuestFiles mixed =
        new GuestFiles(files.kernel(), files.initrd(), files(user).busybox(), files.commandLine());
    List<String> arguments = new ArrayList<>(List.of("run"));
    arguments.addAll(
        GbenchGuest.arguments(
            mixed, "g.mode=ready", "--cpus", Integer.toString(cpus), "--hash-every", "100ms"));
    arguments.addAll(REPEATABLE);
    List<List<String>> all =
        hashes(List.of(Run.interpreter(Run.SERIAL), Run.translator(other)), arguments);
    assertThat(all.getFirst()).hasSizeGreaterThan(50).doesNotHaveDuplicates();
    assertThat(all).allMatch(all.getFirst()::equals);
  }

  private static GuestFiles files(String image) {
    return GuestImages.ofUser(Progress.SILENT).get(GuestImage.named(image).orElseThrow());
  }
}
