package dev.troupe.benchmark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;

/**
 * A part of {@code docs/performance.md} that a benchmark writes, between two marks that name it.
 *
 * @param benchmark its command's name, below {@code integration-tests/bin}
 */
record Measured(String benchmark) {
  private static final Path DOCUMENT = Path.of("docs/performance.md");

  String begin() {
    return "<!-- %1$s begin: written by integration-tests/bin/%1$s -w -->".formatted(benchmark);
  }

  String end() {
    return "<!-- %s end -->".formatted(benchmark);
  }

  /** Writes the part; the process is in the repository's top folder. */
  void write(String text) throws IOException {
    Files.writeString(DOCUMENT, spliced(Files.readString(DOCUMENT), text));
  }

  /** The document with that text between the two marks. */
  String spliced(String document, String text) {
    int begin = document.indexOf(begin());
    int end = document.indexOf(end());
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException(
          DOCUMENT + ": no line '" + begin() + "' with a line '" + end() + "' after it");
    }
    return document.substring(0, begin + begin().length())
        + "\n\n"
        + text.strip()
        + "\n\n"
        + document.substring(end);
  }

  /** When, of which commit, on which machine and JDK. */
  static String conditions() throws IOException, InterruptedException {
    String cpu =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .findFirst()
            .map(line -> line.substring(line.indexOf(':') + 2))
            .orElse("unknown CPU");
    return "%s; commit %s; %s, %d CPUs, load before %s; JDK %s"
        .formatted(
            LocalDate.now(ZoneId.systemDefault()),
            commit(),
            cpu,
            Runtime.getRuntime().availableProcessors(),
            Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0],
            Runtime.version());
  }

  /** The commit's short name, and whether more than the documents differ from it. */
  private static String commit() throws InterruptedException {
    try {
      boolean clean = output("git", "status", "--porcelain", "--", ":!docs").isEmpty();
      return output("git", "rev-parse", "--short", "HEAD").getFirst() + (clean ? "" : " changed");
    } catch (IOException e) {
      return "unknown"; // the sources without git's folder, or no git
    }
  }

  private static List<String> output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(List.of(command) + " failed: " + output);
    }
    return output.lines().toList();
  }
}
