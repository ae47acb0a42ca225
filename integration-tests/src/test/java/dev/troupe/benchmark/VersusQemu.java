package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.benchmark.VersusTable.Side;
import dev.troupe.guest.GbenchGuest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Troupe's translator beside QEMU's: gbench in the same kernel, by turns, a process each. {@code
 * VersusQemu ROUNDS SCALE TEST,...|all [write]}, in the repository's top folder; run it by {@code
 * integration-tests/bin/versus-qemu}.
 */
public final class VersusQemu {
  private static final Measured DOCUMENT = new Measured("versus-qemu");
  private static final Path WARM_BOOT =
      Path.of("integration-tests/src/test/java/dev/troupe/benchmark/WarmBoot.java");
  private static final String QEMU = "qemu-system-x86_64";

  /** The host is that much faster than its guests, and its tests are to take as long. */
  private static final int NATIVE_FACTOR = 5;

  /** The tests with threads take 2 to 400 ms with gbench's own counts. */
  private static final int THREADS_FACTOR = 10;

  /** The first two make the JVM warm. */
  private static final int BOOTS = 3;

  private final GuestFiles files;
  private final int scale;
  private final Predicate<String> chosen;
  private final VersusTable table = new VersusTable();

  private VersusQemu(GuestFiles files, int scale, Predicate<String> chosen) {
    this.files = files;
    this.scale = scale;
    this.chosen = chosen;
  }

  /** QEMU with nothing but a serial port, as our machine has. */
  private GbenchRun qemu(int cpus, List<String> arguments, List<String> then)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(QEMU, "-accel", "tcg,thread=multi"));
    command.addAll(List.of("-cpu", "max", "-smp", Integer.toString(cpus), "-m", "512M"));
    command.addAll(List.of("-nodefaults", "-display", "none", "-serial", "stdio"));
    return GbenchRun.inGuestOf(command, files, arguments, then);
  }

  private GbenchRun troupe(int cpus, List<String> arguments, List<String> then)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("./vmctl", "run", "--engine", "translator"));
    command.addAll(List.of("--cpus", Integer.toString(cpus), "--memory", "512M"));
    return GbenchRun.inGuestOf(command, files, arguments, then);
  }

  private List<String> chosenOf(List<String> tests) {
    return tests.stream().filter(chosen).toList();
  }

  private static List<String> arguments(int threads, int scale, List<String> tests) {
    List<String> all = new ArrayList<>(List.of("-s", Integer.toString(scale)));
    all.addAll(List.of("-t", Integer.toString(threads)));
    all.addAll(tests);
    return all;
  }

  /**
   * The tests with threads in a guest of two vCPUs, behind all others: these take a few
   * milliseconds each, and do not share their two processors with what makes a process warm so.
   */
  private List<String> threaded(int threads) {
    return List.of(
        "-T", "-s", Integer.toString(THREADS_FACTOR * scale), "-t", Integer.toString(threads));
  }

  /** The times of some chosen tests, of more that were run. */
  private void add(Side side, GbenchRun run, List<String> tests) {
    Map<String, Double> times = new TreeMap<>(run.nanosPerIteration());
    times.keySet().retainAll(tests);
    table.add(side, times);
  }

  private void addWithBoot(Side side, GbenchRun run, List<String> tests) {
    add(side, run, tests);
    if (chosen.test(VersusTable.BOOT)) {
      table.add(side, Map.of(VersusTable.BOOT, (double) run.bootNanos()));
    }
  }

  private void round() throws IOException, InterruptedException {
    List<String> compute =
        chosenOf(Stream.of(VersusTable.INTEGER, VersusTable.FAST).flatMap(List::stream).toList());
    List<String> one =
        Stream.of(compute, chosenOf(VersusTable.OTHER)).flatMap(List::stream).toList();
    boolean boots = chosen.test(VersusTable.BOOT);
    if (!one.isEmpty() || boots) {
      // Without a name it runs all.
      List<String> guest = arguments(1, scale, one.isEmpty() ? List.of("sleep1ms") : one);
      addWithBoot(Side.QEMU, qemu(1, guest, List.of()), one);
      addWithBoot(Side.TROUPE, troupe(1, guest, List.of()), one);
    }
    if (boots) {
      table.add(Side.TROUPE, Map.of(VersusTable.WARM_BOOT, warmBoot()));
    }
    if (!compute.isEmpty()) {
      add(Side.NATIVE, GbenchRun.onHost(arguments(1, NATIVE_FACTOR * scale, compute)), compute);
    }
    List<String> all = List.of("-s", Integer.toString(scale));
    List<String> threads = chosenOf(VersusTable.THREADS);
    if (!threads.isEmpty()) {
      add(Side.QEMU, qemu(2, all, threaded(2)), threads);
      add(Side.TROUPE, troupe(2, all, threaded(2)), threads);
    }
    List<String> scaling = chosenOf(VersusTable.SCALING);
    if (!scaling.isEmpty()) {
      int natively = NATIVE_FACTOR * scale;
      add(Side.TROUPE_ONE_THREAD, troupe(2, all, threaded(1)), scaling);
      add(Side.NATIVE_ONE_THREAD, GbenchRun.onHost(arguments(1, natively, scaling)), scaling);
      add(Side.NATIVE, GbenchRun.onHost(arguments(2, natively, scaling)), scaling);
    }
  }

  /** Nanoseconds of the last boot of a JVM's. */
  private double warmBoot() throws IOException, InterruptedException {
    List<String> guest = GbenchGuest.arguments(files, "g.mode=ready");
    List<String> command = new ArrayList<>(List.of("./vmctl", Integer.toString(BOOTS)));
    for (String option : List.of("--kernel", "--initrd", "--append")) {
      command.add(guest.get(guest.indexOf(option) + 1));
    }
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("TROUPE_MAIN", WARM_BOOT.toAbsolutePath().toString());
    List<String> lines = output(builder);
    if (lines.size() != BOOTS) {
      throw new IOException("WarmBoot printed " + lines + ", not " + BOOTS + " times");
    }
    return Double.parseDouble(lines.getLast());
  }

  private static List<String> output(ProcessBuilder builder)
      throws IOException, InterruptedException {
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(builder.command() + " failed: " + output);
    }
    return output.lines().toList();
  }

  private static List<String> output(String... command) throws IOException, InterruptedException {
    return output(new ProcessBuilder(command));
  }

  /** How, when, where and of what. */
  private String conditions(int rounds, String tests) throws IOException, InterruptedException {
    String kernel = Files.readAllLines(files.kernel().resolveSibling("packages.txt")).getFirst();
    return """
    By `integration-tests/bin/versus-qemu -n %d -s %d -t %s`; medians, by turns.
    %s;
    %s; %s.
    """
        .formatted(
            rounds,
            scale,
            tests,
            Measured.conditions(),
            output(QEMU, "--version").getFirst(),
            String.join(" ", List.of(kernel.split(" ")).subList(0, 2)));
  }

  private static Predicate<String> choice(String names) {
    TreeSet<String> known = new TreeSet<>(List.of(VersusTable.BOOT));
    Stream.of(VersusTable.INTEGER, VersusTable.FAST, VersusTable.OTHER, VersusTable.THREADS)
        .forEach(known::addAll);
    if (names.equals("all")) {
      return known::contains;
    }
    List<String> wanted = List.of(names.split(","));
    for (String name : wanted) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException("no test is called '" + name + "'; there are " + known);
      }
    }
    return wanted::contains;
  }

  private static boolean run(String[] arguments)
      throws GuestException, IOException, InterruptedException {
    int rounds = Integer.parseInt(arguments[0]);
    Predicate<String> chosen = choice(arguments[2]);
    GuestImage debian = GuestImage.named("debian").orElseThrow();
    GuestFiles files = GuestImages.ofUser(new TerminalProgress(System.err, false)).get(debian);
    VersusQemu versus = new VersusQemu(files, Integer.parseInt(arguments[1]), chosen);
    String conditions = versus.conditions(rounds, arguments[2]);
    for (int round = 1; round <= rounds; round++) {
      System.err.println("versus-qemu: round " + round + " of " + rounds);
      versus.round();
    }
    String report = conditions + "\n" + versus.table.markdown();
    System.out.print(report);
    if (arguments.length > 3) {
      DOCUMENT.write(report);
    }
    return versus.table.met();
  }

  /** Ends with 1 where a row is unmet, with 2 where nothing could be measured. */
  public static void main(String[] arguments) throws InterruptedException {
    try {
      System.exit(run(arguments) ? 0 : 1);
    } catch (GuestException | IOException | IllegalArgumentException e) {
      System.err.println("versus-qemu: " + e.getMessage());
      System.exit(2);
    }
  }
}
