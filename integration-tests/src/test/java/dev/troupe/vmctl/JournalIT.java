package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A boot of Debian with two vCPUs, typed at while it is recorded, and had again. */
@Timeout(1800)
class JournalIT {
  /** Generous: the machine may be slow and busy. */
  private static final int SECONDS = 600;

  /** How many times the boot is had again: {@code -Djournal.replays=10} for more. */
  private static final int REPLAYS = Integer.getInteger("journal.replays", 3);

  private static final List<List<String>> COLLECTORS =
      List.of(
          List.of(),
          List.of("-XX:-UseSerialGC", "-XX:+UseG1GC"),
          List.of("-XX:-UseSerialGC", "-XX:+UseZGC"),
          List.of("-XX:-UseSerialGC", "-XX:+UseParallelGC"));

  /** Threads that do nothing but take processors away. */
  private static final class Load implements AutoCloseable {
    private volatile boolean over;

    Load(int threads) {
      for (int i = 0; i < threads; i++) {
        Thread.ofPlatform().daemon().start(this::spin);
      }
    }

    private void spin() {
      while (!over) {
        Thread.onSpinWait();
      }
    }

    @Override
    public void close() {
      over = true;
    }
  }

  private static final Pattern END =
      Pattern.compile("stats: state hash: (\\w+) at i:(\\d+) m:(\\d+) ");

  @TempDir private Path folder;

  /** Runs vmctl to its end; what it printed, which must come with that exit code. */
  private static String vmctl(List<String> jvm, int exitCode, String... arguments)
      throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start(jvm, List.of(arguments))) {
      int code = vmctl.exitCode(SECONDS);
      assertThat(code).as(vmctl.output()).isEqualTo(exitCode);
      return vmctl.output();
    }
  }

  private static String vmctl(int exitCode, String... arguments) throws Exception {
    return vmctl(List.of(), exitCode, arguments);
  }

  /** The end of the recorded run, as a replay reports it. */
  private String record(Path journal) throws Exception {
    try (VmctlProcess vmctl =
        VmctlProcess.start(
            List.of(),
            List.of(
                "run",
                "debian",
                "--cpus",
                "2",
                "--record",
                journal.toString(),
                "--record-level",
                "messages",
                "--checkpoint-every",
                "5s",
                "--stats"))) {
      int at = vmctl.await("/root # ", 0, SECONDS);
      vmctl.type("uname -m\n");
      at = vmctl.await("x86_64", at, SECONDS);
      vmctl.type("cat /proc/interrupts | md5sum; echo $((6 * 7))\n");
      vmctl.await("42", at, SECONDS);
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
      Matcher end = END.matcher(vmctl.output());
      assertThat(end.find()).as(vmctl.output()).isTrue();
      return "identical: %s messages, %s instructions, hash %s"
          .formatted(end.group(3), end.group(2), end.group(1));
    }
  }

  @Test
  void aTypedAtBootIsHadAgainEverywhereAndAChangeOfItIsNamed() throws Exception {
    Path journal = folder.resolve("boot.journal");
    String file = journal.toString();
    String end = record(journal);

    for (int i = 0; i < REPLAYS; i++) {
      try (Load _ = new Load(i % 2 * Runtime.getRuntime().availableProcessors())) {
        assertThat(vmctl(COLLECTORS.get(i % COLLECTORS.size()), 0, "replay", file))
            .as("replay %d", i)
            .endsWith(end + "\n");
      }
    }
    assertThat(vmctl(0, "replay", file, "--engine", "interpreter", "--console"))
        .contains("uname -m", "x86_64", "42")
        .endsWith(end + "\n");

    String found = vmctl(0, "journal", "show", file, "--where", "kind=IoWrite port=0x3f8");
    List<String> written = found.lines().toList();
    String line = written.get(written.size() / 2);
    String number = line.substring(2, line.indexOf(' '));
    String copy = folder.resolve("edited.journal").toString();
    vmctl(0, "journal", "edit", file, copy, "--message", number, "--set", "value=0x7e");
    assertThat(vmctl(1, "journal", "diff", file, copy))
        .contains("< m:" + number + " ", "> m:" + number + " ");
    assertThat(vmctl(1, "replay", copy))
        .contains("recorded: m:" + number + " ", "value=0x7e")
        .contains("replayed: " + line.strip());

    String message = Long.toString(Long.parseLong(number) + 1);
    String whole = vmctl(0, "replay", file, "--to", "m:" + message);
    assertThat(whole).startsWith("identical so far: ");
    try (var checkpoints = Files.list(folder.resolve("boot.journal.checkpoints"))) {
      for (Path checkpoint : checkpoints.toList()) {
        Files.delete(checkpoint);
      }
    }
    assertThat(vmctl(0, "replay", file, "--to", "m:" + message)).endsWith(whole);

    byte[] bytes = Files.readAllBytes(journal);
    Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, bytes.length * 2 / 3));
    assertThat(vmctl(0, "replay", cut.toString()))
        .contains("identical: ")
        .contains("journal " + cut)
        .contains("are lost");
  }
}
