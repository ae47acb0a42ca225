package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's gdb, connected to guests that run and to guests that have run. */
@Timeout(900)
class GdbIT {
  /** Generous: the machine may be slow and busy. */
  private static final int SECONDS = 300;

  /**
   * Counts to 50, calls a function each time (at 10003f), which stores the count at 110000 if it is
   * a multiple of 8 (at 100048), and switches off.
   */
  private static final String COUNTING =
      "bc0000180031c941e81200000083f93275f566ba040666b8003466eff4ebfd89c8a9070000007506890d00001100"
          + "c3";

  private static final Pattern LISTENS = Pattern.compile("target remote (\\S+)");

  @TempDir private Path folder;

  /** Runs gdb with these commands against a vmctl that has just been started; what it printed. */
  private static String gdb(VmctlProcess vmctl, String... commands) throws Exception {
    vmctl.awaitError("target remote 127.0.0.1:", SECONDS);
    Matcher address = LISTENS.matcher(vmctl.output());
    assertThat(address.find()).as(vmctl.output()).isTrue();
    List<String> line = new ArrayList<>(List.of("gdb", "-batch", "-nx", "-q"));
    for (String before : List.of("set pagination off", "target remote " + address.group(1))) {
      line.addAll(List.of("-ex", before));
    }
    for (String command : commands) {
      line.addAll(List.of("-ex", command));
    }
    Path printed = Files.createTempFile("gdb", ".out");
    try {
      Process gdb =
          new ProcessBuilder(line)
              .redirectErrorStream(true)
              .redirectOutput(printed.toFile())
              .start();
      gdb.getOutputStream().close();
      boolean ended = gdb.waitFor(SECONDS, TimeUnit.SECONDS);
      gdb.destroyForcibly();
      String output = Files.readString(printed, StandardCharsets.UTF_8);
      assertThat(ended).as("gdb has ended, after: %s", output).isTrue();
      return output;
    } finally {
      Files.delete(printed);
    }
  }

  private static void vmctl(String... arguments) throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start(arguments)) {
      int code = vmctl.exitCode(SECONDS);
      assertThat(code).as(vmctl.output()).isZero();
    }
  }

  private Path counted() throws Exception {
    Path journal = folder.resolve("counting.journal");
    String kernel = TinyKernel.write(folder, COUNTING).toString();
    vmctl("run", kernel, "--memory", "4M", "--record", journal.toString());
    return journal;
  }

  @Test
  void aRecordedRunIsWalkedForwardsAndBackwards() throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start("replay", counted().toString(), "--gdb", "0")) {
      String output =
          gdb(
              vmctl,
              "info threads",
              "x/3i $pc",
              "break *0x10003f",
              "continue",
              "stepi",
              "print $ecx",
              "delete",
              "watch *(int *) 0x110000",
              "continue",
              "continue",
              "reverse-continue",
              "x/i $pc",
              "reverse-stepi",
              "x/i $pc",
              "reverse-continue",
              "reverse-continue",
              "monitor position",
              "delete",
              "hbreak *0x10003a",
              "continue",
              "x/i $pc",
              "print $ecx",
              "continue",
              "delete",
              "continue",
              "reverse-stepi",
              "detach");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
      assertThat(vmctl.output()).contains("identical: ");
      assertThat(output)
          .containsSubsequence(
              "Thread 1 (vcpu0 active cpl0)",
              "=> 0x100020:\tmov    $0x180000,%esp",
              "0x100027:\tinc    %ecx",
              "Breakpoint 1, 0x0010003f in",
              "0x00100041 in",
              "$1 = 1",
              "Old value = 0\nNew value = 8\n",
              "Old value = 8\nNew value = 16\n",
              // Backwards: from just behind the store to just before it, where the old value is.
              "Old value = 16\nNew value = 8\n",
              "=> 0x100048:\tmov    %ecx,0x110000",
              "=> 0x100046:\tjne    0x10004e",
              "Old value = 8\nNew value = 0\n",
              "No more reverse-execution history",
              "i:0 m:",
              "Breakpoint 3, 0x0010003a in",
              "=> 0x10003a:\tout    %ax,(%dx)",
              "$2 = 50",
              // The step that was to get past the breakpoint meets the end: it is there still.
              "Breakpoint 3, 0x0010003a in",
              "No more reverse-execution history",
              "0x00100036 in",
              "[Inferior 1 (Remote target) detached]");
    }
  }

  @Test
  void aGuestThatRunsIsStoppedChangedAndLetGo() throws Exception {
    String kernel = TinyKernel.write(folder, COUNTING).toString();
    for (String mode : List.of("--quiet", "--deterministic")) {
      try (VmctlProcess vmctl =
          VmctlProcess.start("run", kernel, "--memory", "4M", mode, "--gdb", "0", "-S")) {
        String output =
            gdb(
                vmctl,
                "break *0x10002d if $ecx == 20",
                "continue",
                "set $ecx = 49",
                "set *(int *) 0x110000 = 7",
                "print *(int *) 0x110000",
                "delete",
                "watch *(int *) 0x110000",
                "continue",
                "x/i $pc");
        assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
        assertThat(output)
            .as(mode)
            .containsSubsequence(
                "Breakpoint 1, 0x0010002d in", "$1 = 7", "[Inferior 1 (Remote target) exited");
      }
    }
  }

  @Test
  void aLinuxBootIsWalkedForwardsAndBackwards() throws Exception {
    Path journal = folder.resolve("linux.journal");
    long startKernel;
    long jiffies;
    try (VmctlProcess vmctl =
        VmctlProcess.start(
            "run",
            "debian",
            "--append",
            "nokaslr quiet",
            "--record",
            journal.toString(),
            "--no-pacing",
            "--checkpoint-every",
            "1s")) {
      int at = vmctl.await("/root # ", 0, SECONDS);
      vmctl.type("grep -wE 'start_kernel|jiffies_64' /proc/kallsyms; echo $((6 * 7))\n");
      vmctl.await("42", at, SECONDS);
      startKernel = symbol(vmctl.output(), "start_kernel");
      jiffies = symbol(vmctl.output(), "jiffies_64");
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
    }
    try (VmctlProcess vmctl = VmctlProcess.start("replay", journal.toString(), "--gdb", "0")) {
      String output =
          gdb(
              vmctl,
              "hbreak *0x%x".formatted(startKernel),
              "continue",
              "info threads",
              "info registers rip cs cr3 efer",
              "x/4i $pc",
              "delete",
              "watch *(long *) 0x%x".formatted(jiffies),
              "continue",
              "continue",
              "continue",
              "reverse-continue",
              "x/i $pc",
              "reverse-stepi",
              "delete",
              "continue",
              "detach");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output() + output).isZero();
      assertThat(vmctl.output()).contains("identical: ");
      assertThat(output)
          .containsSubsequence(
              "Hardware assisted breakpoint 1 at 0x%x".formatted(startKernel),
              "Breakpoint 1, 0x%016x in".formatted(startKernel),
              "Thread 1 (vcpu0 active cpl0)",
              "rip            0x%x".formatted(startKernel),
              "cs             0x10",
              "cr3            0x",
              "efer           0xd01",
              "=> 0x%x:".formatted(startKernel));
      Matcher changes = Pattern.compile("Old value = (\\d+)\nNew value = (\\d+)").matcher(output);
      List<List<Long>> seen = new ArrayList<>();
      while (changes.find()) {
        seen.add(List.of(Long.parseLong(changes.group(1)), Long.parseLong(changes.group(2))));
      }
      assertThat(seen).as(output).hasSize(4);
      for (int i = 0; i < 3; i++) {
        assertThat(seen.get(i).get(1)).isEqualTo(seen.get(i).get(0) + 1);
      }
      assertThat(seen.get(3)).isEqualTo(seen.get(2).reversed());
    }
  }

  private static long symbol(String output, String name) {
    Matcher line = Pattern.compile("([0-9a-f]{16}) \\w " + name + "\\s").matcher(output);
    assertThat(line.find()).as(output).isTrue();
    return Long.parseUnsignedLong(line.group(1), 16);
  }
}
