package dev.troupe.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a user waits for a command of vmctl: from the launcher's start to its end, one after the
 * other, against a daemon that runs. The figure to hold: a median under 0.4 s. Run it by {@code
 * integration-tests/bin/vmctl-latency}; {@link ClusterLoad} does the same with its guests up.
 */
public final class VmctlLatencyBenchmark {
  private static final int RUNS = 50;
  private static final int WARM_UP = 3;
  private static final long TIME_OUT_SECONDS = 60;

  private VmctlLatencyBenchmark() {}

  /**
   * How long commands took, from the launcher's start to its end.
   *
   * @param sorted nanoseconds, least first
   */
  record Latency(long[] sorted) {
    /** In nanoseconds. */
    long at(int percent) {
      return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }

    long p50() {
      return at(50);
    }

    long p99() {
      return at(99);
    }
  }

  /** Given the launcher, then how often, then the command. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : RUNS;
    List<String> command =
        arguments.length > 2
            ? Arrays.asList(arguments).subList(2, arguments.length)
            : List.of("show");
    Latency latency = measure(arguments[0], command, runs, null);
    System.out.printf(
        "%s, %d runs, ms: p50 %.0f, p90 %.0f, p99 %.0f, least %.0f%n",
        String.join(" ", command),
        runs,
        latency.p50() / 1e6,
        latency.at(90) / 1e6,
        latency.p99() / 1e6,
        latency.sorted()[0] / 1e6);
  }

  /**
   * Times a command, one after the other; the first few do not count.
   *
   * @param socket the daemon's; null for the environment's
   */
  static Latency measure(String launcher, List<String> command, int runs, Path socket)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(launcher));
    line.addAll(command);
    long[] nanos = new long[runs];
    for (int i = -WARM_UP; i < runs; i++) {
      long took = time(line, socket);
      if (i >= 0) {
        nanos[i] = took;
      }
    }
    Arrays.sort(nanos);
    return new Latency(nanos);
  }

  private static long time(List<String> command, Path socket)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().remove("TROUPE_MAIN");
    if (socket != null) {
      builder.environment().put("TROUPE_SOCKET", socket.toString());
    }
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
