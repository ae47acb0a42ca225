package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the deterministic schedule costs: gbench's tests of several threads, as many as vCPUs, each
 * thread with the same work, by the host's clock, interleaved. The figures to hold: with one vCPU
 * 1.15 times the parallel schedule's time, with N vCPUs 1.3 N times that of one. {@code
 * ScheduleBenchmark [ROUNDS]}; run it by {@code integration-tests/bin/schedules}.
 */
public final class ScheduleBenchmark {
  private static final double ONE_WANTED = 1.15;
  private static final double MANY_WANTED = 1.3;
  private static final int[] CPUS = {1, 2, 4};

  private ScheduleBenchmark() {}

  private static double seconds(int cpus, boolean deterministic)
      throws GuestException, IOException, InterruptedException {
    List<String> options = new ArrayList<>(List.of("--cpus", Integer.toString(cpus)));
    if (deterministic) {
      options.addAll(List.of("--deterministic", "--no-pacing"));
    }
    List<String> arguments = new ArrayList<>(List.of("-T", "-t", Integer.toString(cpus)));
    arguments.addAll(List.of("-s", "200", "mt-int", "mt-matmul", "mt-syscall"));
    return GbenchRun.inGuest(options, arguments).seconds();
  }

  /** Prints a line a figure; ends with 1 if one is too high. */
  public static void main(String[] arguments)
      throws GuestException, IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
    List<Double> parallel = new ArrayList<>();
    List<List<Double>> deterministic = new ArrayList<>();
    for (int ignored : CPUS) {
      deterministic.add(new ArrayList<>());
    }
    for (int round = 1; round <= rounds; round++) {
      System.err.println("schedules: round " + round + " of " + rounds);
      parallel.add(seconds(1, false));
      for (int i = 0; i < CPUS.length; i++) {
        deterministic.get(i).add(seconds(CPUS[i], true));
      }
    }
    double base = GbenchRun.median(parallel);
    double one = GbenchRun.median(deterministic.getFirst());
    boolean met = report("1 vCPU, deterministic to parallel", one, base, ONE_WANTED);
    for (int i = 1; i < CPUS.length; i++) {
      double many = GbenchRun.median(deterministic.get(i));
      met &= report(CPUS[i] + " vCPUs to 1", many, one, MANY_WANTED * CPUS[i]);
    }
    if (!met) {
      System.exit(1);
    }
  }

  private static boolean report(String what, double time, double of, double wanted) {
    System.out.printf(
        "%-36s %6.2f s to %6.2f s: %.2f, wanted %.2f%n", what, time, of, time / of, wanted);
    return time / of <= wanted;
  }
}
