package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code vmctl run} as a user meets it: exit codes, input and output through pipes, and bad input.
 */
@Timeout(300)
class VmctlRunIT {
  private static final byte[] NOTHING = {};

  @TempDir private Path folder;

  private VmctlProcess.Result run(String... arguments) throws Exception {
    return VmctlProcess.run(NOTHING, arguments);
  }

  @ParameterizedTest
  @CsvSource({
    TinyKernel.POWER_OFF + ", 0",
    TinyKernel.DEBUG_EXIT + ", 33",
    TinyKernel.TRIPLE_FAULT + ", 6"
  })
  void theExitCodeSaysHowTheGuestEnded(String guest, int exitCode) throws Exception {
    String kernel = TinyKernel.write(folder, guest).toString();

    assertThat(run("run", "--kernel", kernel).exitCode()).isEqualTo(exitCode);
  }

  @Test
  void aGuestThatDoesNotEndIsEndedByTheTimeout() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.ENDLESS).toString();
    VmctlProcess.Result result = run("run", "--kernel", kernel, "--timeout", "500ms");

    assertThat(result.exitCode()).isEqualTo(124);
    assertThat(result.err()).contains("time-out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "sharded"})
  void whatComesThroughAPipeReachesTheGuestByteForByteAndItsEndDoesNotEndTheGuest(String how)
      throws Exception {
    byte[] input = new byte[10_000];
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < input.length - 1; i++) {
      input[i] = (byte) (5 + random.nextInt(250)); // Ctrl-] among them: it is no terminal
    }
    input[input.length - 1] = 4;
    String kernel = TinyKernel.write(folder, TinyKernel.ECHO).toString();
    VmctlProcess.Result result =
        how.equals("local")
            ? VmctlProcess.run(input, "run", "--kernel", kernel)
            : VmctlProcess.run(input, "run", "--kernel", kernel, "--sharded");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(3);
    assertThat(result.out())
        .isEqualTo(new String(input, 0, input.length - 1, StandardCharsets.ISO_8859_1));
    assertThat(result.err()).isEmpty();
  }

  @Test
  void statisticsComeOnStandardErrorAndTheirCountsAgree() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.DEBUG_EXIT).toString();
    VmctlProcess.Result result = run("run", "--kernel", kernel, "--stats");

    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .contains("guest instructions:")
        .contains("MIPS")
        .contains("exits port-write: 1")
        .contains("messages io-write: 1")
        .contains("messages that a vCPU sent: 1, handled on the board: 1")
        .contains("median")
        .contains("p99");
  }

  static Stream<List<String>> badUsage() {
    return Stream.of(
        List.of("run"),
        List.of("run", "--kernel"),
        List.of("run", "KERNEL", "--kernel", "KERNEL"),
        List.of("run", "--kernel", "KERNEL", "--cpus", "0"),
        List.of("run", "--kernel", "KERNEL", "--cpus", "65"),
        List.of("run", "--kernel", "KERNEL", "--seed", "7"),
        List.of("run", "--kernel", "KERNEL", "--no-pacing"),
        List.of("run", "--kernel", "KERNEL", "--hash-every", "1s"),
        List.of("run", "--kernel", "KERNEL", "--deterministic", "--inputs", "none"),
        List.of("run", "--kernel", "KERNEL", "--cpus", "x"),
        List.of("run", "--kernel", "KERNEL", "--memory", "0"),
        List.of("run", "--kernel", "KERNEL", "--memory", "1M"),
        List.of("run", "--kernel", "KERNEL", "--memory", "-1"),
        List.of("run", "--kernel", "KERNEL", "--memory", "1000T"),
        List.of("run", "--kernel", "KERNEL", "--memory", "99999999999999999999"),
        List.of("run", "--kernel", "KERNEL", "--cpu", "no-such-model"),
        List.of("run", "--kernel", "KERNEL", "--timeout", "soon"),
        List.of("run", "--kernel", "KERNEL", "--no-such-option"),
        List.of("run", "--kernel", "KERNEL", "--trace", "op"),
        List.of("run", "--kernel", "KERNEL", "--trace", "exec", "--sharded"),
        List.of("run", "--kernel", "KERNEL", "--trace-file", "KERNEL"),
        List.of("run", "--kernel", "KERNEL", "--trace", "exec,out_asm", "--engine", "interpreter"),
        List.of("frobnicate"));
  }

  @Test
  void aBadCommandLineGetsOneLine() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.POWER_OFF).toString();
    for (List<String> arguments : badUsage().toList()) {
      String[] given =
          arguments.stream().map(a -> a.equals("KERNEL") ? kernel : a).toArray(String[]::new);
      oneLine(run(given), 2, arguments.toString());
    }
  }

  @Test
  void aBadImageGetsOneLine() throws Exception {
    Path text = Files.writeString(folder.resolve("text"), "this is no kernel\n".repeat(1000));
    Path empty = Files.createFile(folder.resolve("empty"));
    String kernel = TinyKernel.write(folder, TinyKernel.POWER_OFF).toString();
    Path large = folder.resolve("large");
    try (var file = new java.io.RandomAccessFile(large.toFile(), "rw")) {
      file.setLength(8L << 20);
    }

    oneLine(run("run", "--kernel", folder.resolve("none").toString()), 4, "missing");
    oneLine(run("run", "--kernel", folder.toString()), 4, "a folder");
    oneLine(run("run", "--kernel", text.toString()), 4, "no kernel");
    oneLine(run("run", "--kernel", empty.toString()), 4, "empty");
    oneLine(
        run("run", "--kernel", kernel, "--initrd", folder.resolve("none").toString()),
        4,
        "initrd missing");
    oneLine(
        run("run", "--kernel", kernel, "--initrd", large.toString(), "--memory", "4M"),
        4,
        "initrd larger than memory");
    oneLine(run("run", "--sharded", "--kernel", text.toString()), 4, "no kernel, sharded");
  }

  private static void oneLine(VmctlProcess.Result result, int exitCode, String what) {
    assertThat(result.exitCode()).as("%s: %s", what, result.err()).isEqualTo(exitCode);
    assertThat(result.out()).as(what).isEmpty();
    assertThat(result.err().lines()).as(what).hasSize(1);
    assertThat(result.err()).as(what).startsWith("vmctl: ").doesNotContain("Exception");
  }
}
