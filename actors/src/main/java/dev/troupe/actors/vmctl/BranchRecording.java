package dev.troupe.actors.vmctl;

import com.google.protobuf.ByteString;
import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.journal.JournalLevel;
import dev.troupe.proto.journal.JournalParent;
import dev.troupe.runtime.journal.JournalCheckpoints;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Optional;

/** The journal of a run that branches off from another's: whole, so that it needs no other. */
final class BranchRecording {
  private BranchRecording() {}

  /** Where such a journal's checkpoints go; empty if its parent has none. */
  static Optional<Path> folder(RecordedMachine parent, Path copy) throws IOException {
    if (!JournalHeaders.checkpoints(parent.header()).isAny()) {
      return Optional.empty();
    }
    return Optional.of(Files.createDirectories(JournalCheckpoints.folder(copy)));
  }

  /**
   * Begins a journal with what its parent has up to a checkpoint.
   *
   * @param start empty if the run begins with power-on, and will tell all by itself
   * @throws IOException if either cannot be read or written
   */
  static Recorder begin(
      RecordedMachine parent,
      Path copy,
      MachineParts parts,
      Where from,
      Optional<JournalRecord.Checkpoint> start)
      throws IOException {
    if (copy.toAbsolutePath().normalize().equals(parent.file().toAbsolutePath().normalize())) {
      throw new UserException(ExitCode.USAGE, "the new journal cannot be the old one: " + copy);
    }
    JournalHeader old = parent.header();
    boolean messages = old.getLevel() == JournalLevel.JOURNAL_LEVEL_MESSAGES;
    JournalHeader header =
        JournalHeaders.of(
                parts,
                messages,
                Duration.ofNanos(old.getHashEveryNanos()),
                JournalHeaders.checkpoints(old))
            .toBuilder()
            .setTurns(old.getTurns())
            .setRestored(old.getRestored())
            .setParent(
                JournalParent.newBuilder()
                    .setPath(parent.file().toString())
                    .setHeaderSha256(digest(old))
                    .setPosition(from.toString()))
            .build();
    Recorder recorder = new Recorder(messages, new JournalWriter(copy, header), Vmctl::complain);
    if (start.isPresent()) {
      copy(parent, copy, recorder, start.get());
    }
    return recorder;
  }

  private static void copy(
      RecordedMachine parent, Path copy, Recorder recorder, JournalRecord.Checkpoint start)
      throws IOException {
    try (JournalReader reader = new JournalReader(parent.file())) {
      JournalRecord record;
      do {
        record = reader.next();
        if (record instanceof JournalRecord.Checkpoint saved && !saved.file().isEmpty()) {
          share(parent.snapshot(saved), Files.createDirectories(JournalCheckpoints.folder(copy)));
        }
        recorder.happened(record);
      } while (!record.equals(start));
    }
  }

  /** A checkpoint, with what it builds on, in another folder, too. */
  private static void share(Path checkpoint, Path folder) throws IOException {
    if (!Files.exists(checkpoint)) {
      return; // checkpoints can be thrown away
    }
    try {
      for (Path file : SnapshotFile.files(checkpoint)) {
        link(file, folder.resolve(file.getFileName()));
      }
    } catch (NoSuchFileException | StateException e) {
      Vmctl.complain("checkpoint " + checkpoint + " is left out: " + e.getMessage());
    }
  }

  /** The same file under another name, where the file system has that. */
  private static void link(Path old, Path name) throws IOException {
    Files.deleteIfExists(name);
    try {
      Files.createLink(name, old);
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(old, name, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static ByteString digest(JournalHeader header) {
    try {
      return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(header.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
