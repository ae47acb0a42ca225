package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.DeterministicSchedule;
import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.snapshot.SnapshotPosition;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.snapshot.MachineState;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Looks at a deterministic machine where it stands at a quiet point: hashes its state at intervals
 * of virtual time, and saves it. On the thread of whoever has the turn.
 */
final class QuietPoints implements DeterministicSchedule.QuietPoint {
  /** What was seen. */
  sealed interface Note {
    /** Where the machine stood. */
    Position position();
  }

  /** The hash of the state. */
  record Hash(Position position, long hash) implements Note {}

  /** The state was saved. */
  record Saved(Position position, long hash, Path file) implements Note {}

  /** The state could not be saved; the machine goes on. */
  record NotSaved(Position position, Path file, String reason) implements Note {}

  private final VmSpec spec;
  private final CpuModel model;
  private final DeterministicSchedule schedule;
  private final MachineState state;
  private final Consumer<Note> notes;
  private final RunObserver observer;
  private final long interval;
  private final long checkpointInterval;
  private final Optional<Path> checkpoints;
  private long nextHash;
  private long nextCheckpoint;
  private Checkpoints.Snapshot snapshot;

  /** The quiet point that was reached last. */
  private Place last = Place.START;

  QuietPoints(
      MachineParts parts,
      DeterministicSchedule schedule,
      MachineState state,
      Consumer<Note> notes) {
    this.spec = parts.spec();
    this.model = parts.model();
    this.schedule = schedule;
    this.state = state;
    this.notes = notes;
    observer = parts.observer();
    interval = parts.checkpoints().hashEvery().map(Duration::toNanos).orElse(EventHeap.NEVER);
    nextHash = interval;
    var every = parts.checkpoints().every();
    checkpointInterval = every.map(e -> e.interval().toNanos()).orElse(EventHeap.NEVER);
    checkpoints = every.flatMap(Checkpoints.Every::folder);
    nextCheckpoint = checkpointInterval;
    snapshot = parts.checkpoints().snapshot().orElse(null);
  }

  @Override
  public void reached() {
    long now = schedule.nanos();
    if (now >= nextHash) {
      nextHash = after(now, interval);
      long hash = hash();
      observer.happened(new JournalRecord.StateHash(schedule.place(), hash));
      notes.accept(new Hash(schedule.position(), hash));
    }
    if (now >= nextCheckpoint) {
      nextCheckpoint = after(now, checkpointInterval);
      checkpoint();
    }
    last = schedule.place();
    observer.quiet(last, this::hash);
    if (snapshot != null
        && now >= snapshot.nanos()
        && schedule.position().instructions() >= snapshot.instructions()) {
      Path file = snapshot.file();
      snapshot = null;
      notes.accept(save(file));
    }
  }

  private static long after(long now, long interval) {
    return interval == EventHeap.NEVER ? interval : (now / interval + 1) * interval;
  }

  /** Its record comes after the file, and also if there is none: hashing it is part of the run. */
  private void checkpoint() {
    Place place = schedule.place();
    if (checkpoints.isPresent()) {
      String name = "t%d.snapshot".formatted(place.position().nanos());
      Note note = save(checkpoints.get().resolve(name));
      if (note instanceof Saved saved) {
        observer.happened(new JournalRecord.Checkpoint(place, saved.hash(), name));
        return;
      }
      notes.accept(note);
    }
    observer.happened(new JournalRecord.Checkpoint(place, hash(), ""));
  }

  @Override
  public long nextNanos() {
    long next = Math.min(nextHash, nextCheckpoint);
    return snapshot != null && snapshot.instructions() == 0
        ? Math.min(next, snapshot.nanos())
        : next;
  }

  /** The hash of the machine's state; at a quiet point or at rest. */
  long hash() {
    return state.hash();
  }

  /** The machine has come to rest for good; what the guest did to end it is part of the run. */
  void ended(Outcome outcome) {
    boolean exact =
        !(outcome instanceof Outcome.Stopped || outcome instanceof Outcome.InternalFailure);
    String text =
        switch (outcome) {
          case Outcome.PoweredOff _ -> "powered off";
          case Outcome.Reset _ -> "reset";
          case Outcome.DebugExit(long value) -> "debug exit " + value;
          case Outcome.TripleFault(int vcpu, String _) -> "triple fault of vcpu" + vcpu;
          case Outcome.Stopped _ -> "stopped";
          case Outcome.InternalFailure _ -> "failed";
        };
    observer.happened(
        new JournalRecord.End(last, schedule.position(), exact, exact ? hash() : 0, text));
  }

  private Note save(Path file) {
    Position position = schedule.position();
    try {
      SnapshotHeader about =
          SnapshotHeader.newBuilder()
              .setSpec(spec)
              .setCpuModel(model.name())
              .setCpuFeatures(model.fingerprint())
              .setPosition(
                  SnapshotPosition.newBuilder()
                      .setInstructions(position.instructions())
                      .setMessages(position.messages())
                      .setVirtualNanos(position.nanos()))
              .build();
      return new Saved(position, SnapshotFile.write(file, about, state).getStateHash(), file);
    } catch (IOException e) {
      return new NotSaved(position, file, e.toString());
    }
  }

  /**
   * Takes over the state of a snapshot.
   *
   * @throws IllegalStateException if it cannot be; the message is one line for the user
   */
  void restore(Path file) {
    SnapshotHeader header;
    try {
      header = SnapshotFile.restore(file, state, model.name(), model.fingerprint());
    } catch (StateException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalStateException("snapshot " + file + ": " + e, e);
    }
    long hash = hash();
    if (hash != header.getStateHash()) {
      throw new IllegalStateException(
          "snapshot %s: state hash %016x after restoring, expected %016x"
              .formatted(file, hash, header.getStateHash()));
    }
    nextHash = after(schedule.nanos(), interval);
    nextCheckpoint = after(schedule.nanos(), checkpointInterval);
    observer.restored();
  }
}
