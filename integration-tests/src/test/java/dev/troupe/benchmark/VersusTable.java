package dev.troupe.benchmark;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The figures of {@link VersusQemu}, what is wanted of them, and their tables. Times are
 * nanoseconds.
 */
final class VersusTable {
  /** gbench's tests that run the integer units, or the memory, and nothing of the kernel's. */
  static final List<String> INTEGER =
      List.of(
          "int", "fib", "sieve", "crc32", "sha256", "qsort", "mul64", "interp", "strops", "chase");

  /** What QEMU computes by calls of C functions, or walks with a slow path. */
  static final List<String> FAST = List.of("matmul", "mandel", "x87", "sse2i", "stream");

  /** All else with one thread, but for sleep1ms, which measures nothing of an engine. */
  static final List<String> OTHER =
      List.of(
          "memcpy4m",
          "cold",
          "cold-again",
          "smc",
          "syscall",
          "clock",
          "signal",
          "segv",
          "fork",
          "exec",
          "pipe",
          "fault",
          "bb-gzip",
          "bb-md5",
          "bb-sha256");

  /** With a thread for each of 2 vCPUs. */
  static final List<String> THREADS =
      List.of(
          "mt-int",
          "mt-matmul",
          "mt-atomic",
          "mt-mutex",
          "mt-spin",
          "mt-futex",
          "mt-dekker",
          "mt-fault",
          "mt-syscall");

  /** Those that gain by a second thread natively. */
  static final List<String> SCALING = List.of("mt-int", "mt-matmul", "mt-syscall");

  /** From the process's start to the guest's user space. */
  static final String BOOT = "boot";

  /** From the machine's start to there, in a JVM that has booted before. */
  static final String WARM_BOOT = "warm boot";

  /** Where a time comes from. */
  enum Side {
    QEMU,
    TROUPE,
    /** The tests of {@link #SCALING} with one thread, on 2 vCPUs. */
    TROUPE_ONE_THREAD,
    NATIVE,
    NATIVE_ONE_THREAD
  }

  /** A figure's answer to what is wanted of it. */
  enum Verdict {
    MET("yes"),
    UNMET("**no**"),
    /** Nothing is wanted. */
    NONE("");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }
  }

  /**
   * A line of a table.
   *
   * @param cells what stands before the figure, its name first
   * @param wanted 0 for nothing
   * @param accepted the least figure that counts as met: lower than wanted where the noise is high
   */
  record Row(List<String> cells, double figure, double wanted, double accepted) {
    Verdict verdict() {
      if (wanted == 0) {
        return Verdict.NONE;
      }
      return figure >= accepted ? Verdict.MET : Verdict.UNMET; // a figure that is NaN is not met
    }

    private List<String> all() {
      List<String> all = new ArrayList<>(cells);
      all.add(ratio(figure));
      all.add(wanted == 0 ? "" : ratio(wanted));
      all.add(verdict().text);
      return all;
    }
  }

  private static final List<String> HEADER =
      List.of("", "QEMU", "Troupe", "Troupe ÷ native", "QEMU ÷ Troupe", "wanted", "met");

  private static final List<String> GAIN_HEADER =
      List.of("2 threads against 1", "Troupe", "native", "Troupe ÷ native", "wanted", "met");

  private final Map<Side, Map<String, List<Double>>> samples = new EnumMap<>(Side.class);

  /** Adds a round's times, by test. */
  void add(Side side, Map<String, Double> times) {
    Map<String, List<Double>> tests = samples.computeIfAbsent(side, s -> new TreeMap<>());
    times.forEach((test, time) -> tests.computeIfAbsent(test, t -> new ArrayList<>()).add(time));
  }

  /** The median over the rounds; NaN without any. */
  private double time(Side side, String test) {
    List<Double> times = samples.getOrDefault(side, Map.of()).getOrDefault(test, List.of());
    return times.isEmpty() ? Double.NaN : GbenchRun.median(times);
  }

  private boolean has(Collection<String> tests) {
    return tests.stream().noneMatch(test -> Double.isNaN(time(Side.TROUPE, test)));
  }

  /** QEMU's times over ours, as far as measured: means first. */
  List<Row> speeds() {
    List<Row> rows = new ArrayList<>();
    TreeSet<String> compute = new TreeSet<>(INTEGER);
    compute.addAll(FAST);
    addMean(rows, "compute, geometric mean", compute, 5);
    addMean(rows, "integer compute, geometric mean", INTEGER, 2);
    addEach(rows, FAST, 6, 6);
    addEach(rows, INTEGER, 0, 0);
    addEach(rows, OTHER, 1, 0.95);
    addEach(rows, THREADS, 1, 1);
    if (has(List.of(BOOT, WARM_BOOT))) {
      rows.add(speed("boot, third in a JVM", BOOT, WARM_BOOT, 1, 1));
      rows.add(speed("second VM of the kind, KASLR", BOOT, WARM_BOOT, 2, 2));
      rows.add(speed("boot, vmctl run", BOOT, BOOT, 0.5, 0.5));
    }
    return rows;
  }

  private void addMean(List<Row> rows, String name, Collection<String> tests, double wanted) {
    if (has(tests)) {
      double speed = mean(Side.QEMU, Side.TROUPE, tests);
      String slower = ratio(mean(Side.TROUPE, Side.NATIVE, tests));
      rows.add(new Row(List.of(name, "", "", slower), speed, wanted, wanted));
    }
  }

  private double mean(Side side, Side over, Collection<String> tests) {
    return geometricMean(tests.stream().map(test -> time(side, test) / time(over, test)).toList());
  }

  private void addEach(List<Row> rows, List<String> tests, double wanted, double accepted) {
    for (String test : tests) {
      if (has(List.of(test))) {
        rows.add(speed(test, test, test, wanted, accepted));
      }
    }
  }

  private Row speed(String name, String theirs, String ours, double wanted, double accepted) {
    double qemu = time(Side.QEMU, theirs);
    double troupe = time(Side.TROUPE, ours);
    String slower = ratio(troupe / time(Side.NATIVE, ours));
    List<String> cells = List.of(name, duration(qemu), duration(troupe), slower);
    return new Row(cells, qemu / troupe, wanted, accepted);
  }

  /** What the second thread is worth, as a share of what it is natively. */
  List<Row> gains() {
    List<Row> rows = new ArrayList<>();
    for (String test : SCALING) {
      if (has(List.of(test))) {
        double ours = time(Side.TROUPE_ONE_THREAD, test) / time(Side.TROUPE, test);
        double host = time(Side.NATIVE_ONE_THREAD, test) / time(Side.NATIVE, test);
        rows.add(new Row(List.of(test, ratio(ours), ratio(host)), ours / host, 0.9, 0.9));
      }
    }
    return rows;
  }

  /** Whether no row is unmet. */
  boolean met() {
    return Stream.concat(speeds().stream(), gains().stream())
        .noneMatch(row -> row.verdict() == Verdict.UNMET);
  }

  /** Both tables, in Markdown; one without rows is left out. */
  String markdown() {
    List<String> tables = new ArrayList<>();
    if (!speeds().isEmpty()) {
      tables.add(table(HEADER, cells(speeds())));
    }
    if (!gains().isEmpty()) {
      tables.add(table(GAIN_HEADER, cells(gains())));
    }
    return String.join("\n", tables);
  }

  private static List<List<String>> cells(List<Row> rows) {
    return rows.stream().map(Row::all).toList();
  }

  /** A table in Markdown, in columns, so that it can also be read as it is. */
  static String table(List<String> header, List<List<String>> rows) {
    List<List<String>> lines = new ArrayList<>(List.of(header));
    lines.addAll(rows);
    int[] widths =
        IntStream.range(0, header.size())
            .map(i -> lines.stream().mapToInt(line -> line.get(i).length()).max().orElseThrow())
            .toArray();
    lines.add(1, IntStream.of(widths).mapToObj("-"::repeat).toList());
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        text.append("| ").append(line.get(i)).repeat(' ', widths[i] - line.get(i).length() + 1);
      }
      text.append("|\n");
    }
    return text.toString();
  }

  /** NaN for no values, or where one of them is. */
  static double geometricMean(Collection<Double> values) {
    double logarithms = values.stream().mapToDouble(Math::log).sum();
    return Math.exp(logarithms / values.size());
  }

  /** With as many decimals as its size makes worth reading; nothing for NaN. */
  static String ratio(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    int digits = value < 0.01 ? 5 : value < 10 ? 2 : value < 100 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** Three digits and a unit, such as 12.3 µs. */
  static String duration(double nanos) {
    if (Double.isNaN(nanos)) {
      return "";
    }
    List<String> units = List.of(" ns", " µs", " ms", " s");
    int unit = 0;
    double value = nanos;
    while (value >= 999.5 && unit < units.size() - 1) {
      value /= 1000;
      unit++;
    }
    return ratio(value) + units.get(unit);
  }
}
