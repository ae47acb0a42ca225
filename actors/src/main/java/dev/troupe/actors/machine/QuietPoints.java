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
import java.util.function.Consumer;

/**
 * Looks at a deterministic machine where it stands at a quiet point: hashes its state at intervals
 * of virtual time, and saves it. On the thread of whoever has the turn.
 */
final class QuietPoints implements DeterministicSchedule.QuietPoint, AutoCloseable {
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

  /** Whether turns are told, as they are of one vCPU: what it needs to be had again alone. */
  private final boolean turns;

  private final long interval;
  private final Checkpoints.Interval checkpointInterval;

  /** Null if no checkpoints are saved. */
  private final CheckpointWriter checkpoints;

  private long nextHash;
  private long nextCheckpoint;
  private long nextCheckpointInstructions;
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
    turns = observer.turns() && spec.getCpus() == 1;
    interval = parts.checkpoints().hashEvery().map(Duration::toNanos).orElse(EventHeap.NEVER);
    nextHash = interval;
    var every = parts.checkpoints().every();
    checkpointInterval =
        every.map(Checkpoints.Every::interval).orElse(new Checkpoints.Interval(0, 0));
    checkpoints =
        every
            .flatMap(Checkpoints.Every::folder)
            .map(folder -> new CheckpointWriter(folder, state, notes))
            .orElse(null);
    expectCheckpoint(0, 0);
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
    long instructions = schedule.position().instructions();
    if (now >= nextCheckpoint || instructions >= nextCheckpointInstructions) {
      expectCheckpoint(instructions, now);
      checkpoint();
    }
    last = schedule.place();
    observer.quiet(last, this::hash);
    if (snapshot != null && now >= snapshot.nanos() && instructions >= snapshot.instructions()) {
      Path file = snapshot.file();
      snapshot = null;
      notes.accept(save(file));
    }
  }

  @Override
  public void turn(long idle, long units) {
    if (turns) {
      observer.happened(new JournalRecord.Turn(idle, units));
    }
  }

  @Override
  public void cut(long units) {
    if (turns) {
      observer.happened(new JournalRecord.Cut(units));
    }
  }

  private static long after(long now, long interval) {
    return interval == EventHeap.NEVER ? interval : (now / interval + 1) * interval;
  }

  private void expectCheckpoint(long instructions, long now) {
    nextCheckpoint = next(now, checkpointInterval.nanos());
    nextCheckpointInstructions = next(instructions, checkpointInterval.instructions());
  }

  private static long next(long now, long interval) {
    return interval == 0 ? EventHeap.NEVER : after(now, interval);
  }

  /** Its record comes also if there is no file: hashing the state is part of the run. */
  private void checkpoint() {
    Place place = schedule.place();
    if (checkpoints != null && checkpoints.next()) {
      String name = "t%d.snapshot".formatted(place.position().nanos());
      long hash = checkpoints.save(name, about(place.position()));
      observer.happened(new JournalRecord.Checkpoint(place, hash, name));
    } else {
      observer.happened(new JournalRecord.Checkpoint(place, hash(), ""));
    }
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
    close();
    observer.happened(
        new JournalRecord.End(
            last, schedule.position(), exact, exact ? hash() : 0, outcome.text()));
  }

  private Note save(Path file) {
    Position position = schedule.position();
    try {
      SnapshotHeader written = SnapshotFile.write(file, about(position), state);
      return new Saved(position, written.getStateHash(), file);
    } catch (IOException e) {
      return new NotSaved(position, file, e.toString());
    }
  }

  private SnapshotHeader about(Position position) {
    return SnapshotHeader.newBuilder()
        .setSpec(spec)
        .setCpuModel(model.name())
        .setCpuFeatures(model.fingerprint())
        .setPosition(
            SnapshotPosition.newBuilder()
                .setInstructions(position.instructions())
                .setMessages(position.messages())
                .setVirtualNanos(position.nanos()))
        .build();
  }

  /** Checkpoints are on the disk when this returns. */
  @Override
  public void close() {
    if (checkpoints != null) {
      checkpoints.close();
    }
  }

  /**
   * Takes over the state of a snapshot.
   *
   * @throws IllegalStateException if it cannot be; the message is one line for the user
   */
  void restore(Path file) {
    SnapshotFile.Restored restored;
    try {
      restored = SnapshotFile.restore(file, state, model.name(), model.fingerprint());
    } catch (StateException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalStateException("snapshot " + file + ": " + e, e);
    }
    long hash = hash();
    long expected = restored.header().getStateHash();
    if (restored.current() && hash != expected) {
      throw new IllegalStateException(
          "snapshot %s: state hash %016x after restoring, expected %016x"
              .formatted(file, hash, expected));
    }
    nextHash = after(schedule.nanos(), interval);
    expectCheckpoint(schedule.position().instructions(), schedule.nanos());
    observer.restored(schedule.place(), hash);
  }
}
