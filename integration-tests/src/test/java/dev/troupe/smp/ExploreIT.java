package dev.troupe.smp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two processors add to a counter without a lock, in three instructions of some ten thousand: the
 * recorded run loses nothing. Others of its kind do.
 */
@Timeout(900)
class ExploreIT {
  private static final int SECONDS = 600;
  private static final String LOST = "lost update";
  private static final Pattern FOUND =
      Pattern.compile("found in \\d+ of 400 seeds, soonest by seed (\\d+): ");

  @TempDir private Path folder;

  private static String vmctl(int exitCode, String... arguments) throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start(arguments)) {
      int code = vmctl.exitCode(SECONDS);
      assertThat(code).as(vmctl.output()).isEqualTo(exitCode);
      return vmctl.output();
    }
  }

  @Test
  void aRareRaceIsFoundBySeedsOfTheTurnsAndHadAgainFromItsJournal() throws Exception {
    SmpGuest guest = SmpGuest.build("lost", folder, 1);
    String journal = folder.resolve("lost.journal").toString();
    List<String> run = new ArrayList<>(List.of("run", "--kernel", guest.kernel().toString()));
    run.addAll(List.of("--append", "cpus=2 seed=1", "--cpus", "2", "--memory", "64M", "--quiet"));
    run.addAll(List.of("--no-pacing", "--record", journal, "--record-level", "messages"));
    assertThat(vmctl(1, run.toArray(String[]::new))).contains("ok   updates").doesNotContain(LOST);

    String explored =
        vmctl(
            0,
            "explore",
            journal,
            "--from",
            "i:50000",
            "--seeds",
            "400",
            "--until",
            "console~" + LOST);
    Matcher found = FOUND.matcher(explored);
    assertThat(found.find()).as(explored).isTrue();

    String shown = journal + ".found";
    String replayed = vmctl(0, "replay", shown, "--console");
    assertThat(replayed).contains(LOST, "identical: ");
    assertThat(vmctl(0, "replay", shown, "--console", "--engine", "interpreter"))
        .isEqualTo(replayed);
    assertThat(vmctl(0, "journal", "stat", shown))
        .contains("parent: " + journal + " up to i:50000")
        .contains("turns: of seed " + found.group(1) + " from i:50000 on");
    // The seed is what does it: the same search by that one alone.
    assertThat(
            vmctl(
                0,
                "explore",
                journal,
                "--from",
                "i:50000",
                "--seeds",
                "1",
                "--first-seed",
                found.group(1),
                "--until",
                "console~" + LOST))
        .contains("found in 1 of 1 seeds");
  }
}
