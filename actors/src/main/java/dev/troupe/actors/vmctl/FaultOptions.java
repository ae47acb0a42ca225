package dev.troupe.actors.vmctl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Fault rules: what happens to which messages inside the machine. */
final class FaultOptions {
  /** Longest file of rules: many more than a machine may have. */
  private static final long MAX_BYTES = 1 << 20;

  @Option(
      names = "--fault",
      paramLabel = "RULE",
      description = {
        "Do this to messages in the machine: 'drop 1/1000 kind=LineLevel",
        "to=ioapic seed=7'; also delay, duplicate, reorder, corrupt and",
        "answer. May be given several times; implies --deterministic."
      })
  private List<String> rules = List.of();

  @Option(
      names = "--fault-file",
      paramLabel = "FILE",
      description = "Rules from a file, a line each, behind those of --fault.")
  private Path file;

  boolean given() {
    return !rules.isEmpty() || file != null;
  }

  /**
   * The rules, in their order.
   *
   * @throws UserException if the file cannot be read
   */
  List<String> rules() {
    List<String> all = new ArrayList<>(rules);
    if (file != null) {
      lines().stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .forEach(all::add);
    }
    return all;
  }

  private List<String> lines() {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw bad("%d bytes, expected at most %d".formatted(Files.size(file), MAX_BYTES));
      }
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw bad(Files.exists(file) ? "cannot be read: " + e.getMessage() : "no such file");
    }
  }

  private UserException bad(String what) {
    return new UserException(ExitCode.USAGE, "faults " + file + ": " + what);
  }
}
