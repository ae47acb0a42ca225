package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.guest.GbenchGuest;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What recording costs: boots of Debian's cloud kernel to user space and off, by the processor time
 * of all their threads, as a wait for the disk is not what is looked for and other work beside does
 * not count; interleaved. The figures to hold, checkpoints aside: inputs 1.03 times the unrecorded
 * run, all messages 1.25 times; 20 bytes a message; 2 MiB of inputs for a boot and an idle minute;
 * a replay takes no longer than the recorded run. {@code RecordingCost [ROUNDS]}; run it by {@code
 * integration-tests/bin/recording-cost}.
 */
public final class RecordingCost {
  private static final double INPUTS_WANTED = 1.03;
  private static final double MESSAGES_WANTED = 1.25;
  private static final double MESSAGE_BYTES_WANTED = 20;
  private static final long IDLE_BYTES_WANTED = 2 << 20;
  private static final String QEMU = "qemu-system-x86_64";

  private static final String PLAIN = "deterministic";
  private static final String INPUTS = "inputs, no checkpoints";
  private static final String REPLAY = "replay";
  private static final String MESSAGES = "messages, no checkpoints";

  private final GuestFiles files;
  private final Path folder;
  private final Path journal;

  /** Processor seconds of each kind of run, in the order in which they take turns. */
  private final Map<String, List<Double>> seconds = new LinkedHashMap<>();

  private RecordingCost(GuestFiles files, Path folder) {
    this.files = files;
    this.folder = folder;
    journal = folder.resolve("journal");
  }

  private void troupe(String name, String... options) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(GbenchGuest.arguments(files, "g.mode=ready", "--quiet"));
    line.addAll(List.of("--memory", "512M", "--deterministic", "--no-pacing"));
    line.addAll(List.of(options));
    time(name, VmctlChild.command(line));
  }

  private void qemu(String name, String icount) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(QEMU, "-accel", "tcg", "-icount", icount));
    line.addAll(List.of("-cpu", "max", "-m", "512M", "-nodefaults"));
    line.addAll(List.of("-display", "none", "-serial", "stdio"));
    line.addAll(GbenchGuest.arguments(files, "g.mode=ready"));
    time(name, line);
  }

  private void time(String name, List<String> line) throws IOException, InterruptedException {
    clean();
    timed(name, line);
  }

  private void timed(String name, List<String> line) throws IOException, InterruptedException {
    Path times = folder.resolve("times");
    List<String> shell = new ArrayList<>();
    shell.addAll(List.of("sh", "-c", "\"$@\"; code=$?; times >\"$0\"; exit $code"));
    shell.add(times.toString());
    shell.addAll(line);
    ProcessBuilder builder =
        new ProcessBuilder(shell)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectOutput(folder.resolve("output").toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().remove("TROUPE_MAIN");
    int code = builder.start().waitFor();
    if (code != 0) {
      VmctlChild.fail("%s ended with exit code %d".formatted(name, code));
    }
    seconds.computeIfAbsent(name, _ -> new ArrayList<>()).add(processorTime(times));
  }

  /** Seconds of both kinds of the shell's children, its second line: {@code 0m12.34s 0m0.56s}. */
  private static double processorTime(Path times) throws IOException {
    double seconds = 0;
    for (String word : Files.readAllLines(times).get(1).split(" ", 2)) {
      int minutes = word.indexOf('m');
      seconds += 60 * Double.parseDouble(word.substring(0, minutes));
      seconds += Double.parseDouble(word.substring(minutes + 1, word.length() - 1));
    }
    return seconds;
  }

  /** Removes the journal of the run before. */
  private void clean() throws IOException {
    Path checkpoints = folder.resolve("journal.checkpoints");
    if (Files.exists(checkpoints)) {
      try (Stream<Path> all = Files.list(checkpoints)) {
        for (Path file : all.toList()) {
          Files.delete(file);
        }
      }
    }
    Files.deleteIfExists(journal);
  }

  private void round(boolean withQemu) throws IOException, InterruptedException {
    String file = journal.toString();
    troupe(PLAIN);
    troupe(INPUTS, "--record", file, "--checkpoint-every", "off");
    troupe("inputs", "--record", file);
    troupe("messages", "--record", file, "--record-level", "messages");
    timed(REPLAY, VmctlChild.command("replay", List.of(file)));
    troupe(MESSAGES, "--record", file, "--record-level", "messages", "--checkpoint-every", "off");
    if (withQemu) {
      qemu("QEMU, icount", "shift=auto");
      qemu("QEMU, rr=record", "shift=auto,rr=record,rrfile=" + folder.resolve("replay"));
    }
  }

  private boolean report(double bytesPerMessage, long idleBytes) {
    seconds.forEach((name, all) -> System.out.printf("%-26s %6.2f s%n", name, median(name)));
    boolean met = ratio(INPUTS, INPUTS_WANTED);
    met &= ratio(MESSAGES, MESSAGES_WANTED);
    ratio("inputs", Double.NaN);
    ratio("messages", Double.NaN);
    double replayed = median(REPLAY) / median("messages");
    System.out.printf("%-26s %6.2f times the recorded run, wanted 1%n", REPLAY, replayed);
    met &= replayed <= 1;
    if (seconds.containsKey("QEMU, icount")) {
      System.out.printf(
          "%-26s %6.2f times its unrecorded run%n",
          "QEMU, rr=record", median("QEMU, rr=record") / median("QEMU, icount"));
    }
    System.out.printf(
        "%-26s %6.2f bytes, wanted %.0f%n", "a message", bytesPerMessage, MESSAGE_BYTES_WANTED);
    System.out.printf(
        "%-26s %d bytes, wanted %d%n", "inputs, booted, 60 s idle", idleBytes, IDLE_BYTES_WANTED);
    return met && bytesPerMessage <= MESSAGE_BYTES_WANTED && idleBytes <= IDLE_BYTES_WANTED;
  }

  private double median(String name) {
    return GbenchRun.median(seconds.get(name));
  }

  private boolean ratio(String name, double wanted) {
    double ratio = median(name) / median(PLAIN);
    System.out.printf(
        "%-26s %6.2f times the unrecorded run%s%n",
        name, ratio, Double.isNaN(wanted) ? "" : ", wanted %.2f".formatted(wanted));
    return Double.isNaN(wanted) || ratio <= wanted;
  }

  /** Bytes a message of the journal that was recorded last, all else included. */
  private double bytesPerMessage() throws IOException {
    long messages = 0;
    try (JournalReader reader = new JournalReader(journal)) {
      for (JournalRecord next = reader.next(); next != null; next = reader.next()) {
        messages += next instanceof JournalRecord.Message ? 1 : 0;
      }
      return (double) reader.size() / messages;
    }
  }

  /** A guest that has booted by 12 s of its time, and is at its prompt to 75 s. */
  private long idleBytes() throws IOException, InterruptedException {
    Path inputs = Files.writeString(folder.resolve("inputs"), "t:75s console \"poweroff -f\\n\"\n");
    List<String> line = new ArrayList<>(List.of("debian", "--quiet", "--no-pacing"));
    line.addAll(List.of("--inputs", inputs.toString(), "--record", journal.toString()));
    line.addAll(List.of("--checkpoint-every", "off"));
    time("idle", VmctlChild.command(line));
    seconds.remove("idle");
    return Files.size(journal);
  }

  private static boolean hasQemu() {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(path -> Files.isExecutable(Path.of(path, QEMU)));
  }

  /** Prints a line a figure; ends with 1 if one is too high. */
  public static void main(String[] arguments)
      throws GuestException, IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
    GuestImage debian = GuestImage.named("debian").orElseThrow();
    GuestFiles files = GuestImages.ofUser(new TerminalProgress(System.err, false)).get(debian);
    Path folder = Files.createTempDirectory("recording-cost");
    RecordingCost cost = new RecordingCost(files, folder);
    try {
      for (int round = 1; round <= rounds; round++) {
        System.err.println("recording-cost: round " + round + " of " + rounds);
        cost.round(hasQemu());
      }
      cost.clean();
      cost.troupe(MESSAGES, "--record", cost.journal.toString(), "--record-level", "messages");
      double bytesPerMessage = cost.bytesPerMessage();
      cost.seconds.get(MESSAGES).removeLast();
      if (!cost.report(bytesPerMessage, cost.idleBytes())) {
        System.exit(1);
      }
    } finally {
      cost.clean();
      for (String name :
          List.of("journal.checkpoints", "output", "times", "inputs", "replay", "")) {
        Files.deleteIfExists(folder.resolve(name));
      }
    }
  }
}
