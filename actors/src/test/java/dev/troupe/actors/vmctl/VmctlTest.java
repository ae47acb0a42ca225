package dev.troupe.actors.vmctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What the command line makes of a command that fails. */
class VmctlTest {
  @Test
  void anErrorOfOneOfTwoJournalsNamesThatOne() {
    assertThatThrownBy(
            () ->
                JournalPair.of(
                    Path.of("second.journal"),
                    () -> {
                      throw new IOException("Input/output error");
                    }))
        .hasMessage("journal second.journal: Input/output error");
  }

  /** What a command that is refused says. */
  private static String refused(String line) {
    PrintStream before = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      assertThat(Vmctl.execute(line.split(" "))).isEqualTo(ExitCode.USAGE);
    } finally {
      System.setErr(before);
    }
    return said.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--edit value=1 --gdb 0",
        "--fault drop --interactive",
        "--live --interactive",
        "--live --record copy --gdb 127.0.0.1:0"
      })
  void whatIsRecordedCannotBeChangedAndMovedInAtOnce(String options) {
    assertThat(refused("replay no.journal --to m:5 " + options))
        .isEqualTo(
            "vmctl: --gdb and --interactive are for the recorded run, which --live, --edit, --fault"
                + " and --record leave: record the changed run, then look into that\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--only pic --gdb 0", "--break to=pic --interactive"})
  void onlyAWholeRunIsMovedIn(String options) {
    assertThat(refused("replay no.journal " + options))
        .isEqualTo("vmctl: --gdb and --interactive are not for --break and --only\n");
  }

  @Command(name = "unlinked")
  private static final class Unlinked implements Runnable {
    @Override
    public void run() {
      throw new NoClassDefFoundError("made for this test");
    }
  }

  @Command(name = "broken")
  private static final class Broken implements Runnable {
    @Override
    public void run() {
      throw new IllegalStateException("made for this test");
    }
  }

  /** An error that got out of main would leave the process running: guests have threads. */
  @Test
  void whateverFailsInsideEndsWithTheCodeOfAnInternalError() {
    CommandLine line = Vmctl.commandLine().addSubcommand(new Unlinked());
    line.addSubcommand(new Broken());
    assertThat(Vmctl.execute(line, "broken")).isEqualTo(ExitCode.INTERNAL);
    assertThat(Vmctl.execute(line, "unlinked")).isEqualTo(ExitCode.INTERNAL);
  }
}
