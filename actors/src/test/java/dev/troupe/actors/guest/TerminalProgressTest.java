package dev.troupe.actors.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TerminalProgressTest {
  @Test
  void noLineIsWiderThanATerminalOf80Columns() {
    for (String name : new String[] {"a", "linux-image-6.1.0-56-cloud-amd64", "x".repeat(200)}) {
      for (long done : new long[] {-1, 0, 1, 13_000_000, 27_000_000, Long.MAX_VALUE}) {
        assertThat(TerminalProgress.line(name, done, 27_000_000).length()).isLessThan(80);
        assertThat(TerminalProgress.line(name, done, 0).length()).isLessThan(80);
      }
    }
  }

  @Test
  void theBarFillsWithWhatIsThere() {
    assertThat(TerminalProgress.line("k", 0, 100)).contains("[" + " ".repeat(22) + "]");
    assertThat(TerminalProgress.line("k", 50, 100))
        .contains("[" + "=".repeat(11) + " ".repeat(11) + "]");
    assertThat(TerminalProgress.line("k", 100, 100)).contains("[" + "=".repeat(22) + "]");
  }

  @Test
  void whatIsNoTerminalGetsWholeLinesOnly() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Progress progress =
        new TerminalProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    progress.say("first");
    progress.advance("k", 1, 2);
    progress.done("k", 2);
    assertThat(bytes.toString(StandardCharsets.UTF_8)).doesNotContain("\r").hasLineCount(2);
  }
}
