package dev.troupe.benchmark;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * What a guest costs that does nothing: boots one to its prompt by {@code vmctl run}, lets it
 * settle, and reads the process's CPU time before and after a minute. The figure to hold: under 3 %
 * of one core.
 *
 * <p>Run it by {@code integration-tests/bin/idle}, with the arguments of {@code vmctl run}; without
 * any it boots {@code debian}.
 */
public final class IdleBenchmark {
  private static final String PROMPT = "# ";

  /** Until compilers and the guest's own start-up have come to rest. */
  private static final Duration SETTLING = Duration.ofSeconds(20);

  private static final Duration MEASURED = Duration.ofSeconds(60);

  private IdleBenchmark() {}

  /** Measures once. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> line =
        VmctlChild.command(arguments.length == 0 ? List.of("debian") : List.of(arguments));
    // Its standard input is a pipe that stays open and silent.
    Process process =
        new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      System.err.println("idle: booting the guest to its prompt");
      if (!promptComes(process.getInputStream())) {
        VmctlChild.fail("the guest ended before its prompt");
      }
      System.err.println("idle: measuring for " + SETTLING.plus(MEASURED).toSeconds() + " s");
      Thread.sleep(SETTLING);
      Duration before = cpu(process);
      Thread.sleep(MEASURED);
      double share = 100.0 * cpu(process).minus(before).toNanos() / MEASURED.toNanos();
      System.out.printf("idle guest, %d s: %.2f %% of a core%n", MEASURED.toSeconds(), share);
    } finally {
      process.destroy();
    }
  }

  private static Duration cpu(Process process) {
    return process.info().totalCpuDuration().orElseThrow();
  }

  private static boolean promptComes(InputStream output) throws IOException {
    StringBuilder last = new StringBuilder();
    while (last.indexOf(PROMPT) < 0) {
      int next = output.read();
      if (next < 0) {
        return false;
      }
      if (next == '\n') {
        last.setLength(0);
      }
      last.append(new String(new byte[] {(byte) next}, StandardCharsets.ISO_8859_1));
    }
    return true;
  }
}
