package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.runtime.journal.JournalWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code vmctl run} records, and where. */
final class RecordOptions {
  /** Virtual time between two hashes of a recording for which nothing else is said. */
  private static final Duration HASH_EVERY = Duration.ofSeconds(1);

  /** What {@code --record-level} may say. */
  enum Level {
    INPUTS,
    MESSAGES
  }

  @Option(
      names = "--record",
      paramLabel = "FILE",
      description = "Record the run, to be replayed; implies --deterministic.")
  private Path file;

  @Option(
      names = "--record-level",
      paramLabel = "LEVEL",
      defaultValue = "inputs",
      description = "What is recorded: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private Level level;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = {
        "Save a recorded run's state at such intervals of virtual time,",
        "into FILE.checkpoints."
      })
  private Duration checkpointEvery;

  boolean given() {
    return file != null;
  }

  /** What the user asked for that makes no sense; empty if nothing. */
  Optional<String> complaint(boolean restored, boolean sharded) {
    if (file == null) {
      return checkpointEvery == null && level == Level.INPUTS
          ? Optional.empty()
          : Optional.of("--record-level and --checkpoint-every are for --record");
    }
    if (restored || sharded) {
      return Optional.of("--record is not for --restore and not for --sharded runs");
    }
    return Optional.empty();
  }

  /** The folder of a journal's checkpoints. */
  static Path checkpoints(Path journal) {
    Path file = journal.toAbsolutePath();
    return file.resolveSibling(file.getFileName() + ".checkpoints");
  }

  /** Where a recorded run is looked at, beside what the user asks for. */
  Checkpoints checkpoints(Checkpoints asked) {
    if (file == null) {
      return asked;
    }
    Duration hashEvery = asked.hashEvery().orElse(HASH_EVERY);
    return new Checkpoints(
        Optional.of(hashEvery),
        asked.snapshot(),
        asked.restore(),
        Optional.ofNullable(checkpointEvery)
            .map(interval -> new Checkpoints.Every(interval, Optional.of(checkpoints(file)))));
  }

  /**
   * Begins to record this machine; null if nothing is to be recorded.
   *
   * @throws UserException if the journal cannot be written
   */
  Recorder begin(MachineParts parts, Duration hashEvery) {
    if (file == null) {
      return null;
    }
    boolean messages = level == Level.MESSAGES;
    try {
      if (checkpointEvery != null) {
        Files.createDirectories(checkpoints(file));
      }
      JournalHeader header =
          JournalHeaders.of(parts, messages, hashEvery, Optional.ofNullable(checkpointEvery));
      Recorder recorder = new Recorder(messages, new JournalWriter(file, header), Vmctl::complain);
      parts.observe(recorder);
      return recorder;
    } catch (IOException e) {
      throw new UserException(ExitCode.BAD_IMAGE, "journal " + file + ": " + reason(e));
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case java.nio.file.AccessDeniedException _ -> "permission denied";
      case java.nio.file.NoSuchFileException _ -> "no such folder";
      default -> e.getMessage();
    };
  }
}
