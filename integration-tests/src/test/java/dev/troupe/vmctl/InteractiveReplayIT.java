package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code vmctl replay --interactive}, by lines from a pipe and by keys on a terminal. */
@Timeout(300)
class InteractiveReplayIT {
  /** Counts to 50, stores multiples of 8 at 110000, switches off; see {@link GdbIT}. */
  private static final String COUNTING =
      "bc0000180031c941e81200000083f93275f566ba040666b8003466eff4ebfd89c8a9070000007506890d00001100"
          + "c3";

  @TempDir private Path folder;

  private Path record(String guest, String... inputs) throws Exception {
    return record(50_000_000, guest, inputs);
  }

  private Path record(int checkpointEvery, String guest, String... inputs) throws Exception {
    Path journal = folder.resolve("run.journal");
    Path script = Files.write(folder.resolve("inputs"), List.of(inputs));
    String kernel = TinyKernel.write(folder, guest).toString();
    var recorded =
        VmctlProcess.run(
            new byte[0],
            "run",
            kernel,
            "--memory",
            "4M",
            "--inputs",
            script.toString(),
            "--record",
            journal.toString(),
            "--checkpoint-every",
            "i:" + checkpointEvery);
    assertThat(recorded.err()).isEmpty();
    return journal;
  }

  private static String replay(Path journal, String... lines) throws Exception {
    byte[] input = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.US_ASCII);
    var result = VmctlProcess.run(input, "replay", journal.toString(), "--interactive");
    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err()).isEmpty();
    return result.out();
  }

  @Test
  void linesFromAPipeMoveInTheRun() throws Exception {
    String output =
        replay(
            record(COUNTING),
            "step 3",
            "back 2",
            "goto i:100",
            "hash",
            "goto i:50",
            "goto i:100",
            "hash",
            "delete",
            "watch 0x110000 4",
            "continue",
            "mem 110000 4",
            "reverse",
            "disas",
            "regs",
            "delete",
            "continue",
            "nonsense",
            "s",
            "mem",
            "goto nowhere",
            "h",
            "help",
            "quit");
    assertThat(output)
        .containsSubsequence(
            "i:0 m:11 ",
            "vcpu0 100020:  bc 00 00 18 00                 mov    esp,0x180000",
            "i:3 m:11 ",
            "100028:  e8 12 00 00 00 ",
            "i:1 m:11 ",
            "i:100 m:11 ",
            "i:50 m:11 ",
            "i:100 m:11 ",
            "watchpoint 0x110000: access at 0x110000",
            "0000000000110000  10 00 00 00",
            "watchpoint 0x110000: access at 0x110000",
            "100048:  89 0d 00 00 11 00              mov    DWORD PTR ds:0x110000,ecx",
            "rax=0000000000000010",
            "identical: 12 messages, 411 instructions",
            "this is the end of the run",
            "no command 'nonsense'; see help",
            "expected an address",
            "'nowhere' is no position",
            "'h' may be hash or help",
            "quit ");
    List<String> hashes = output.lines().filter(line -> line.matches("[0-9a-f]{16}")).toList();
    assertThat(hashes).hasSize(2).allMatch(hashes.getFirst()::equals);
  }

  @Test
  void aReplayToAPositionStandsWhereTheOneByCommandsDoes() throws Exception {
    Path journal = record(TinyKernel.ECHO, "i:1000 console \"ab\\x04\"");
    for (String position : List.of("i:777", "i:778", "m:40", "m:41", "t:9us")) {
      List<String> stands =
          replay(journal, "goto " + position, "hash")
              .lines()
              .filter(line -> line.matches("[0-9a-f]{16}|i:.*"))
              .toList();
      var result = VmctlProcess.run(new byte[0], "replay", journal.toString(), "--to", position);
      assertThat(result.out())
          .isEqualTo(
              "identical so far: %s, hash %s%n"
                  .formatted(stands.get(stands.size() - 2), stands.getLast()));
      assertThat(result.exitCode()).isZero();
      if (position.startsWith("i:")) {
        assertThat(result.out()).contains(position + " ");
      }
    }
    var found =
        VmctlProcess.run(new byte[0], "replay", journal.toString(), "--break", "kind=Typed");
    assertThat(found.out()).startsWith("found: ").contains("identical so far: ");
  }

  @Test
  void stepsAtOnceEndWhereStepsOneByOneDo() throws Exception {
    Path journal = record(1000, TinyKernel.ECHO, "i:90000 console \"ab\\x04\"");
    try (Stream<Path> saved = Files.list(folder.resolve("run.journal.checkpoints"))) {
      assertThat(saved).hasSizeGreaterThan(2);
    }
    List<String> lines = new ArrayList<>(List.of("goto i:80000"));
    for (int steps : List.of(7, 60, 42_000)) {
      lines.addAll(List.of("back " + steps, "hash", "step " + steps, "hash"));
    }
    lines.addAll(Collections.nCopies(60, "back"));
    lines.addAll(List.of("hash", "back 900000", "step 0"));
    String output = replay(journal, lines.toArray(String[]::new));
    List<String> hashes = output.lines().filter(line -> line.matches("[0-9a-f]{16}")).toList();
    assertThat(hashes).hasSize(7);
    assertThat(hashes.get(6)).isEqualTo(hashes.get(2)).isNotEqualTo(hashes.get(4));
    assertThat(hashes.get(1)).isEqualTo(hashes.get(3)).isEqualTo(hashes.get(5));
    assertThat(output).contains("this is the beginning of the run", "expected at least one step");
  }

  @Test
  void aRunIsFollowedToARecord() throws Exception {
    assertThat(
            replay(
                record(TinyKernel.ECHO, "i:1000 console \"ab\\x04\""),
                "step until kind=ConsoleInput",
                "messages 2",
                "step until kind=IoWrite port=0x3f8",
                "step m 1",
                "console"))
        .containsSubsequence("gate->uart0 ConsoleInput bytes=", "vcpu0 ", "vcpu0 ");
  }

  @Test
  void keysOnATerminalAreEditedCompletedAndRemembered() throws Exception {
    Path journal = record(COUNTING);
    try (Pty pty = Pty.open()) {
      List<String> line =
          new ArrayList<>(
              List.of("env", "--default-signal=INT,HUP,TERM", "TERM=xterm", "setsid", "--ctty"));
      line.addAll(VmctlProcess.command("replay", journal.toString(), "--interactive"));
      String before = pty.settings();
      Process process =
          new ProcessBuilder(line)
              .redirectInput(pty.slave().toFile())
              .redirectOutput(pty.slave().toFile())
              .redirectError(pty.slave().toFile())
              .start();
      pty.await("vcpu0 100020: "); // the prompt needs a width, which this terminal lacks
      pty.type("got\ti:7\r");
      pty.await("i:7 m:11 ");
      pty.type("stex\u007fp\r"); // a slip, mended
      pty.await("i:8 m:11 ");
      pty.type("\u001bOA\r"); // the line before
      pty.await("i:9 m:11 ");
      pty.type("quit\r");
      assertThat(process.waitFor(VmctlProcess.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
      assertThat(pty.settings()).isEqualTo(before);
    }
  }
}
