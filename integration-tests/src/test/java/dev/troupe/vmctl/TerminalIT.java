package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code vmctl run} on a terminal: raw while the guest runs, and as it was on every way out. */
@Timeout(300)
class TerminalIT {
  private static final String CTRL_C = "\u0003";
  private static final String CTRL_CLOSING_BRACKET = "\u001d";
  private static final String END_OF_GUEST = "\u0004";

  @TempDir private Path folder;

  private Process start(Pty pty, String guest) throws IOException {
    // Whoever started the tests may ignore SIGINT or SIGHUP (nohup, a background job); not the
    // child.
    List<String> line =
        new ArrayList<>(List.of("env", "--default-signal=INT,HUP,TERM", "setsid", "--ctty"));
    line.addAll(
        VmctlProcess.command("run", "--kernel", TinyKernel.write(folder, guest).toString()));
    return new ProcessBuilder(line)
        .redirectInput(pty.slave().toFile())
        .redirectOutput(pty.slave().toFile())
        .redirectError(pty.slave().toFile())
        .start();
  }

  private static int exitCode(Process process) throws InterruptedException {
    assertThat(process.waitFor(VmctlProcess.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @Test
  void everyKeyIsTheGuestsAndTheTerminalIsAsItWasAfterTheGuestsEnd() throws Exception {
    try (Pty pty = Pty.open()) {
      String before = pty.settings();
      Process process = start(pty, TinyKernel.ECHO);
      pty.await("Ctrl-]");
      pty.type("x" + CTRL_C + "y\r");
      pty.await("x" + CTRL_C + "y\r");
      assertThat(pty.settings()).isNotEqualTo(before);
      pty.type(END_OF_GUEST);

      assertThat(exitCode(process)).isEqualTo(3);
      assertThat(pty.settings()).isEqualTo(before);
    }
  }

  @Test
  void ctrlClosingBracketLeavesAlsoFromAnEndlessGuestLoop() throws Exception {
    try (Pty pty = Pty.open()) {
      String before = pty.settings();
      Process process = start(pty, TinyKernel.ENDLESS);
      pty.await("Ctrl-]");
      pty.type(CTRL_CLOSING_BRACKET);

      assertThat(exitCode(process)).isZero();
      assertThat(pty.settings()).isEqualTo(before);
    }
  }

  /** SIGKILL cannot be answered: a child of ours sees that we have gone. */
  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129", "KILL, 137"})
  void theTerminalIsAsItWasAfterASignal(String signal, int exitCode) throws Exception {
    try (Pty pty = Pty.open()) {
      String before = pty.settings();
      Process process = start(pty, TinyKernel.ECHO);
      pty.await("Ctrl-]");
      pty.type("ready");
      pty.await("ready");
      assertThat(pty.settings()).isNotEqualTo(before);
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();

      assertThat(exitCode(process)).isEqualTo(exitCode);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (!pty.settings().equals(before) && System.nanoTime() < end) {
        Thread.sleep(20);
      }
      assertThat(pty.settings()).isEqualTo(before);
    }
  }
}
