package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.JournalScan;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.journal.JournalCheckpoints;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The machine of a journal, to be made once more.
 *
 * @param file the journal, which may come from anybody
 */
record RecordedMachine(Path file, JournalScan scan) {
  /**
   * Reads a journal from end to end, and says what is wrong with it.
   *
   * @throws IOException if it cannot be read, or is of no machine that can be made
   */
  static RecordedMachine open(Path file) throws IOException {
    JournalScan scan = JournalScan.of(file);
    JournalSelection.complain(file, scan.damage());
    JournalHeaders.otherHost(scan.header()).ifPresent(Vmctl::complain);
    checked(file, scan.header());
    return new RecordedMachine(file, scan);
  }

  /** What a machine can be made of. */
  static JournalHeader checked(Path file, JournalHeader header) throws JournalException {
    if (!header.getSpec().hasDeterministic() || header.getHashEveryNanos() <= 0) {
      throw new JournalException(
          "journal "
              + file
              + ": of a parallel run, which cannot be had again: journal show, and replay --only"
              + " DEVICE");
    }
    return checkedSpec(file, header);
  }

  /** What a board can be made of. */
  static JournalHeader checkedSpec(Path file, JournalHeader header) throws JournalException {
    int cpus = header.getSpec().getCpus();
    if (cpus < 1 || cpus > RunCommand.MAX_CPUS) {
      throw new JournalException(
          "journal %s: %s vCPUs, expected 1 to %d"
              .formatted(file, Integer.toUnsignedString(cpus), RunCommand.MAX_CPUS));
    }
    RunCommand.memoryComplaint(header.getSpec().getMemoryBytes())
        .ifPresent(
            complaint -> {
              throw new UserException(
                  ExitCode.BAD_IMAGE, "journal %s: %s".formatted(file, complaint));
            });
    return header;
  }

  /**
   * Makes the machine, and lets it go, to see that its images are what was recorded.
   *
   * @throws IOException if they are not
   */
  static void checkImages(Path file, JournalHeader header) throws IOException {
    try (MachineParts parts = prepare(file, header.getSpec(), List.of(), Checkpoints.NONE)) {
      JournalHeaders.check(header, parts);
    }
  }

  private static MachineParts prepare(
      Path file, VmSpec spec, List<ScriptedInput> inputs, Checkpoints checkpoints)
      throws JournalException {
    try {
      return MachineParts.prepare(spec, inputs, checkpoints);
    } catch (BadImageException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    } catch (IllegalArgumentException e) {
      throw new JournalException("journal " + file + ": " + e.getMessage());
    }
  }

  JournalHeader header() {
    return scan.header();
  }

  /** The recorded spec, with another engine and pace: the guest cannot tell. */
  VmSpec.Builder spec(EngineKind engine, boolean unpaced) {
    VmSpec.Builder spec = header().getSpec().toBuilder().setEngine(engine);
    spec.getDeterministicBuilder().setUnpaced(unpaced);
    return spec;
  }

  /** What the run began with: a snapshot, or empty for power-on. */
  Optional<JournalRecord.Checkpoint> begin() {
    if (!header().getRestored()) {
      return Optional.empty();
    }
    Optional<JournalRecord.Checkpoint> first =
        scan.checkpoints().stream().findFirst().filter(this::whole);
    if (first.isEmpty()) {
      throw new UserException(
          ExitCode.BAD_IMAGE,
          "journal %s begins with a snapshot, which is not in %s"
              .formatted(file, JournalCheckpoints.folder(file)));
    }
    return first;
  }

  /** The last checkpoint before a position whose file is what was saved, or the beginning. */
  Optional<JournalRecord.Checkpoint> before(Where position) {
    for (JournalRecord.Checkpoint checkpoint : scan.checkpoints().reversed()) {
      if (!position.test(checkpoint.place().position()) && whole(checkpoint)) {
        return Optional.of(checkpoint);
      }
    }
    return begin();
  }

  /** Whether a checkpoint's file is what was saved; says so if not. */
  boolean whole(JournalRecord.Checkpoint checkpoint) {
    Path snapshot = snapshot(checkpoint);
    try {
      return SnapshotFile.readHeader(snapshot).getStateHash() == checkpoint.hash();
    } catch (NoSuchFileException e) {
      return false; // they are thinned out, and can be thrown away
    } catch (IOException | StateException e) {
      Vmctl.complain("checkpoint " + snapshot + " is not used: " + e.getMessage());
      return false;
    }
  }

  /**
   * The comparison of a run with the journal.
   *
   * @param start the checkpoint that the run begins with; empty for power-on
   * @throws IOException if the journal cannot be read
   */
  Replayer comparison(Optional<JournalRecord.Checkpoint> start, Replayer.Goal goal)
      throws IOException {
    JournalReader reader = new JournalReader(file);
    try {
      if (start.isPresent()) {
        JournalScan.skip(reader, start.get());
      }
      return new Replayer(reader, goal, start.isPresent());
    } catch (IOException e) {
      reader.close();
      throw e;
    }
  }

  /** A checkpoint's file. */
  Path snapshot(JournalRecord.Checkpoint checkpoint) {
    return JournalCheckpoints.folder(file).resolve(checkpoint.file());
  }

  /**
   * Makes the machine.
   *
   * @param spec the recorded one, or one that differs in what the guest sees later
   * @param start the checkpoint that it begins with; empty for power-on
   * @param folder where it saves checkpoints; empty to look at the state only
   * @throws IOException if its images are missing or not those that were recorded
   */
  MachineParts parts(
      VmSpec spec,
      List<ScriptedInput> inputs,
      Optional<JournalRecord.Checkpoint> start,
      Optional<Path> folder)
      throws IOException {
    Checkpoints.Interval every = JournalHeaders.checkpoints(header());
    Checkpoints checkpoints =
        new Checkpoints(
            Optional.of(Duration.ofNanos(header().getHashEveryNanos())),
            Optional.empty(),
            start.map(this::snapshot),
            every.isAny() ? Optional.of(new Checkpoints.Every(every, folder)) : Optional.empty());
    MachineParts parts = prepare(file, spec, inputs, checkpoints);
    try {
      JournalHeaders.check(header(), parts);
      return parts;
    } catch (JournalException e) {
      parts.close();
      throw e;
    }
  }
}
