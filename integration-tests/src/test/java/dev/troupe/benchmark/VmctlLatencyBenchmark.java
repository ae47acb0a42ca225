package dev.troupe.benchmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a user waits for a command of vmctl: from the launcher's start to its end, one after the
 * other, against a daemon that runs. The figure to hold: a median under 0.4 s. Run it by {@code
 * integration-tests/bin/vmctl-latency}.
 */
public final class VmctlLatencyBenchmark {
  private static final int RUNS = 50;
  private static final int WARM_UP = 3;
  private static final long TIME_OUT_SECONDS = 60;

  private VmctlLatencyBenchmark() {}

  /** Given the launcher, then how often, then the command. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : RUNS;
    List<String> command = new ArrayList<>(List.of(arguments[0]));
    command.addAll(
        arguments.length > 2
            ? Arrays.asList(arguments).subList(2, arguments.length)
            : List.of("show"));
    long[] nanos = new long[runs];
    for (int i = -WARM_UP; i < runs; i++) {
      long took = time(command);
      if (i >= 0) {
        nanos[i] = took;
      }
    }
    Arrays.sort(nanos);
    System.out.printf(
        "%s, %d runs, ms: p50 %.0f, p90 %.0f, p99 %.0f, least %.0f%n",
        String.join(" ", command.subList(1, command.size())),
        runs,
        at(nanos, 50),
        at(nanos, 90),
        at(nanos, 99),
        nanos[0] / 1e6);
  }

  private static double at(long[] sorted, int percent) {
    return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)] / 1e6;
  }

  private static long time(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().remove("TROUPE_MAIN");
    long start = System.nanoTime();
    Process process = builder.start();
    if (!process.waitFor(TIME_OUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("no end after " + TIME_OUT_SECONDS + " s: " + command);
    }
    long took = System.nanoTime() - start;
    if (process.exitValue() != 0) {
      throw new IOException("exit code " + process.exitValue() + ": " + command);
    }
    return took;
  }
}
