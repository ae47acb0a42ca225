package dev.troupe.actors.machine;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.snapshot.MachineState;
import dev.troupe.runtime.snapshot.StateCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Saves a machine's state again and again, by a thread of its own: the machine copies the pages
 * written since the last time and goes on, and waits only if the thread is still at that. Most
 * files hold what has changed since the last whole one. A folder holds so many files; when it is
 * full every other one goes, and from then on every other one is not written.
 *
 * <p>On the thread of whoever has the turn, but for the writing.
 */
final class CheckpointWriter implements AutoCloseable {
  private static final int MOST_FILES = 128;

  private record Saved(long number, String name, String base) {}

  private final Path folder;
  private final MachineState state;
  private final Consumer<QuietPoints.Note> notes;

  /** Made with the first file, as it doubles the memory that a guest takes. */
  private StateCopy copy;

  private ExecutorService thread;
  private Future<?> writing;
  private boolean closed;

  private long number;
  private long stride = 1;
  private final List<Saved> files = new ArrayList<>();

  CheckpointWriter(Path folder, MachineState state, Consumer<QuietPoints.Note> notes) {
    this.folder = folder;
    this.state = state;
    this.notes = notes;
  }

  /** Whether the next checkpoint gets a file; one call a checkpoint. */
  boolean next() {
    await();
    return number++ % stride == 0;
  }

  /**
   * Saves the state as it is; on the disk later.
   *
   * @return its hash
   */
  long save(String name, SnapshotHeader about) {
    if (copy == null) {
      copy = new StateCopy(state);
      thread =
          Executors.newSingleThreadExecutor(
              Thread.ofPlatform().daemon().name("troupe-checkpoints").factory());
    }
    long hash = copy.take();
    long of = number - 1;
    writing = thread.submit(() -> write(of, name, about));
    return hash;
  }

  private void write(long of, String name, SnapshotHeader about) {
    try {
      SnapshotHeader written = copy.write(folder.resolve(name), about);
      files.add(new Saved(of, name, written.getBase()));
      if (files.size() > MOST_FILES) {
        thin();
      }
    } catch (IOException | RuntimeException e) {
      var at = about.getPosition();
      Position position =
          new Position(at.getInstructions(), at.getMessages(), at.getVirtualNanos());
      notes.accept(new QuietPoints.NotSaved(position, folder.resolve(name), e.toString()));
    }
  }

  private void thin() throws IOException {
    stride *= 2;
    copy.startOver(); // it must not build on what goes now
    Set<String> needed = new TreeSet<>();
    for (Saved file : List.copyOf(files).reversed()) { // what is built on comes before
      if (file.number % stride == 0 || needed.contains(file.name)) {
        needed.add(file.base);
      } else {
        Files.deleteIfExists(folder.resolve(file.name));
        files.remove(file);
      }
    }
  }

  private void await() {
    boolean interrupted = false;
    while (writing != null) {
      try {
        writing.get();
        writing = null;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException("a checkpoint's writer failed", e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    await();
    if (copy != null) {
      thread.shutdown();
      copy.close();
    }
  }
}
