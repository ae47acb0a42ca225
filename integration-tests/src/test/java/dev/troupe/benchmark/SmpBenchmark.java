package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a second vCPU is worth: two threads of gbench against one, in a guest of two vCPUs and
 * natively, interleaved. The figure to hold: the guest's gain is 0.8 of the native one, geometric
 * mean over the tests. {@code SmpBenchmark [ROUNDS]}; run it by {@code integration-tests/bin/smp}.
 */
public final class SmpBenchmark {
  private static final List<String> TESTS = List.of("mt-int", "mt-matmul", "mt-syscall");
  private static final double WANTED = 0.8;

  /** Percent of gbench's usual work, so that each test takes some tenths of a second. */
  private static final int GUEST_SCALE = 100;

  private static final int NATIVE_SCALE = 1000;

  private SmpBenchmark() {}

  private static List<String> arguments(int threads, int scale) {
    List<String> all = new ArrayList<>(List.of("-T", "-t", Integer.toString(threads)));
    all.addAll(List.of("-s", Integer.toString(scale)));
    all.addAll(TESTS);
    return all;
  }

  /** Time per iteration with one thread over that with two, by test. */
  private static void add(Map<String, List<Double>> gains, GbenchRun one, GbenchRun two) {
    for (String test : TESTS) {
      double gain = one.nanosPerIteration().get(test) / two.nanosPerIteration().get(test);
      gains.computeIfAbsent(test, t -> new ArrayList<>()).add(gain);
    }
  }

  /** Prints a line a test, then the mean; ends with 1 if it is too low. */
  public static void main(String[] arguments)
      throws GuestException, IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
    Map<String, List<Double>> guest = new TreeMap<>();
    Map<String, List<Double>> host = new TreeMap<>();
    List<String> options = List.of("--cpus", "2");
    for (int round = 1; round <= rounds; round++) {
      System.err.println("smp: round " + round + " of " + rounds);
      add(
          host,
          GbenchRun.onHost(arguments(1, NATIVE_SCALE)),
          GbenchRun.onHost(arguments(2, NATIVE_SCALE)));
      add(
          guest,
          GbenchRun.inGuest(options, arguments(1, GUEST_SCALE)),
          GbenchRun.inGuest(options, arguments(2, GUEST_SCALE)));
    }
    double logarithms = 0;
    for (String test : TESTS) {
      double ours = GbenchRun.median(guest.get(test));
      double nativeGain = GbenchRun.median(host.get(test));
      logarithms += Math.log(ours / nativeGain);
      System.out.printf(
          "%-12s 2 threads against 1: guest %.2f, native %.2f, ratio %.2f%n",
          test, ours, nativeGain, ours / nativeGain);
    }
    double mean = Math.exp(logarithms / TESTS.size());
    System.out.printf("geometric mean %.2f, wanted %.2f%n", mean, WANTED);
    if (mean < WANTED) {
      System.exit(1);
    }
  }
}
