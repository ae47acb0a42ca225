package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.runtime.journal.JournalCheckpoints;
import dev.troupe.runtime.journal.JournalWriter;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code vmctl run} records, and where. */
final class RecordOptions {
  /** Virtual time between two hashes of a recording for which nothing else is said. */
  private static final Duration HASH_EVERY = Duration.ofSeconds(1);

  /** Instructions between two checkpoints: what a replay does in half a second, or less. */
  private static final Checkpoints.Interval CHECKPOINT_EVERY =
      new Checkpoints.Interval(50_000_000, 0);

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
      names = "--record-parallel",
      description = {
        "Record the messages of a run that uses all cores, in the board's order: to be looked",
        "into, and for replay --only DEVICE; it cannot be had again as a whole."
      })
  private boolean parallel;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "INTERVAL",
      converter = IntervalConverter.class,
      description = {
        "Save a recorded run's state into FILE.checkpoints: i:N every N instructions,",
        "D at such intervals of virtual time, off for never;",
        "default i:50000000."
      })
  private Checkpoints.Interval checkpointEvery;

  boolean given() {
    return file != null;
  }

  /** Whether the machine has to be repeatable for it. */
  boolean repeatable() {
    return file != null && !parallel;
  }

  /** What the user asked for that makes no sense; empty if nothing. */
  Optional<String> complaint(boolean restored, boolean sharded) {
    if (file == null) {
      return checkpointEvery == null && level == Level.INPUTS && !parallel
          ? Optional.empty()
          : Optional.of(
              "--record-level, --record-parallel and --checkpoint-every are for --record");
    }
    if (parallel && checkpointEvery != null) {
      return Optional.of("--record-parallel has no checkpoints");
    }
    if (sharded || (restored && parallel)) {
      return Optional.of("--record is not for --sharded runs, --record-parallel not for --restore");
    }
    return Optional.empty();
  }

  /** Where a recorded run is looked at, beside what the user asks for. */
  Checkpoints checkpoints(Checkpoints asked) {
    if (!repeatable()) {
      return asked;
    }
    Duration hashEvery = asked.hashEvery().orElse(HASH_EVERY);
    return new Checkpoints(
        Optional.of(hashEvery),
        asked.snapshot(),
        asked.restore(),
        Optional.of(interval())
            .filter(Checkpoints.Interval::isAny)
            .map(
                interval ->
                    new Checkpoints.Every(interval, Optional.of(JournalCheckpoints.folder(file)))));
  }

  private Checkpoints.Interval interval() {
    if (parallel) {
      return new Checkpoints.Interval(0, 0);
    }
    return checkpointEvery == null ? CHECKPOINT_EVERY : checkpointEvery;
  }

  /**
   * Begins to record this machine; null if nothing is to be recorded.
   *
   * @param restore the snapshot that the machine begins with
   * @throws UserException if the journal cannot be written
   */
  Recorder begin(MachineParts parts, Duration hashEvery, Optional<Path> restore) {
    if (file == null) {
      return null;
    }
    boolean messages = parallel || level == Level.MESSAGES;
    try {
      if (interval().isAny() || restore.isPresent()) {
        Files.createDirectories(JournalCheckpoints.folder(file));
      }
      JournalHeader header =
          JournalHeaders.of(parts, messages, hashEvery, interval()).toBuilder()
              .setRestored(restore.isPresent())
              .build();
      Recorder recorder = new Recorder(messages, new JournalWriter(file, header), Vmctl::complain);
      if (restore.isPresent()) {
        recorder.begins(keep(restore.get()));
      }
      parts.observe(recorder);
      return recorder;
    } catch (IOException e) {
      throw new UserException(ExitCode.BAD_IMAGE, "journal " + file + ": " + reason(e));
    }
  }

  /** Keeps a snapshot, and what it builds on, as a checkpoint; gives its file's name. */
  private String keep(Path snapshot) throws IOException {
    try {
      SnapshotHeader header = SnapshotFile.readHeader(snapshot);
      String name = "t%d.snapshot".formatted(header.getPosition().getVirtualNanos());
      copy(snapshot, name);
      for (Path base : SnapshotFile.files(snapshot).stream().skip(1).toList()) {
        copy(base, base.getFileName().toString());
      }
      return name;
    } catch (StateException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    }
  }

  private void copy(Path snapshot, String name) throws IOException {
    Files.copy(
        snapshot,
        JournalCheckpoints.folder(file).resolve(name),
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static String reason(IOException e) {
    return switch (e) {
      case java.nio.file.AccessDeniedException _ -> "permission denied";
      case java.nio.file.NoSuchFileException _ -> "no such folder";
      default -> e.getMessage();
    };
  }
}
