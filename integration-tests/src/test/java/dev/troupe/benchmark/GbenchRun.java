package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.guest.GbenchGuest;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One run of gbench, natively or as a guest of {@code vmctl run} or of QEMU.
 *
 * @param nanosPerIteration of each test, by its own clock: the guest's
 * @param seconds from the guest's user space to the last test's end, by the host's clock
 * @param bootNanos from the process's start to the guest's user space, by the host's clock; 0
 *     natively
 */
record GbenchRun(Map<String, Double> nanosPerIteration, double seconds, long bootNanos) {
  /** What the guest's init writes first; QEMU's firmware leaves the cursor within its line. */
  static final String READY = "GUEST-READY";

  /** Generous: a run that takes longer hangs. */
  private static final long LIMIT_SECONDS = 1800;

  private static final Pattern TEST =
      Pattern.compile("(\\S+)\\s+([0-9.]+)\\s+\\d+\\s+[0-9.]+ (ok|BAD\\S*|-)\\s*");

  /** Natively. */
  static GbenchRun onHost(List<String> arguments) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(GbenchGuest.binary().toString()));
    line.addAll(arguments);
    return follow(line, "# gbench", "# total");
  }

  /** In Debian's cloud kernel, with these options of {@code vmctl run}. */
  static GbenchRun inGuest(List<String> options, List<String> arguments)
      throws GuestException, IOException, InterruptedException {
    GuestImage debian = GuestImage.named("debian").orElseThrow();
    GuestFiles files = GuestImages.ofUser(new TerminalProgress(System.err, false)).get(debian);
    String words = "g.mode=bench g.args=" + String.join(",", arguments);
    List<String> line = new ArrayList<>(GbenchGuest.arguments(files, words, "--quiet"));
    line.addAll(options);
    return follow(VmctlChild.command(line), "# gbench", "BENCH-RC 0");
  }

  /**
   * The same by a command that takes vmctl's options of a kernel, as QEMU does.
   *
   * @param command without the kernel
   * @param then arguments of a second run of gbench in the same guest; none if empty
   */
  static GbenchRun inGuestOf(
      List<String> command, GuestFiles files, List<String> arguments, List<String> then)
      throws IOException, InterruptedException {
    String words =
        "g.mode=bench g.args=%s g.then=%s"
            .formatted(String.join(",", arguments), String.join(",", then));
    List<String> line = new ArrayList<>(command);
    line.addAll(GbenchGuest.arguments(files, words));
    return follow(line, "# gbench", "BENCH-RC 0");
  }

  /** What a line of gbench's says: a test and its nanoseconds per iteration. */
  static Optional<Map.Entry<String, Double>> parse(String line) {
    Matcher test = TEST.matcher(line);
    return test.matches() && !test.group(3).startsWith("BAD")
        ? Optional.of(Map.entry(test.group(1), Double.parseDouble(test.group(2))))
        : Optional.empty();
  }

  private static GbenchRun follow(List<String> command, String begin, String end)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().remove("TROUPE_MAIN"); // else ./vmctl would start this benchmark again
    long start = System.nanoTime();
    Process process = builder.start();
    CompletableFuture.delayedExecutor(LIMIT_SECONDS, TimeUnit.SECONDS)
        .execute(process::destroyForcibly);
    long boot = 0;
    Map<String, Double> tests = new TreeMap<>();
    StringBuilder output = new StringBuilder();
    long started = 0;
    long ended = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.ISO_8859_1))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.append(line).append('\n');
        if (line.contains(READY)) {
          boot = System.nanoTime() - start;
        } else if (line.startsWith(begin)) {
          started = System.nanoTime();
        } else if (line.startsWith(end)) {
          ended = System.nanoTime();
        }
        parse(line).ifPresent(test -> tests.put(test.getKey(), test.getValue()));
      }
    }
    int code = process.waitFor();
    if (code != 0 || started == 0 || ended == 0) {
      throw new IOException(
          "%s failed with exit code %d: %s".formatted(String.join(" ", command), code, output));
    }
    return new GbenchRun(tests, (ended - started) / 1e9, boot);
  }

  /** The middle one, or the mean of the two in the middle. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int size = sorted.size();
    return (sorted.get((size - 1) / 2) + sorted.get(size / 2)) / 2;
  }
}
