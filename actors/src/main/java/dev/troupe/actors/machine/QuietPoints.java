package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.DeterministicSchedule;
import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.snapshot.SnapshotPosition;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.machine.EventHeap;
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
  private final long interval;
  private long nextHash;
  private Checkpoints.Snapshot snapshot;

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
    interval = parts.checkpoints().hashEvery().map(Duration::toNanos).orElse(EventHeap.NEVER);
    nextHash = interval;
    snapshot = parts.checkpoints().snapshot().orElse(null);
  }

  @Override
  public void reached() {
    long now = schedule.nanos();
    if (now >= nextHash) {
      nextHash = (now / interval + 1) * interval;
      notes.accept(new Hash(schedule.position(), hash()));
    }
    if (snapshot != null
        && now >= snapshot.nanos()
        && schedule.position().instructions() >= snapshot.instructions()) {
      Path file = snapshot.file();
      snapshot = null;
      notes.accept(save(file));
    }
  }

  @Override
  public long nextNanos() {
    return snapshot != null && snapshot.instructions() == 0
        ? Math.min(nextHash, snapshot.nanos())
        : nextHash;
  }

  /** The hash of the machine's state; at a quiet point or at rest. */
  long hash() {
    return state.hash();
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
    nextHash =
        interval == EventHeap.NEVER ? interval : (schedule.nanos() / interval + 1) * interval;
  }
}
