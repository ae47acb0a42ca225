package dev.troupe.actors.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What the command line makes of a command that fails. */
class VmctlTest {
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
