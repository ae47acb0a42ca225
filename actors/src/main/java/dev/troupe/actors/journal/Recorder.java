package dev.troupe.actors.journal;

import dev.troupe.actors.machine.RunObserver;
import dev.troupe.runtime.journal.Frame;
import dev.troupe.runtime.journal.FrameBuilder;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import dev.troupe.runtime.journal.Place;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * Records a run. The machine's threads lay the records out, a thread of its own compresses and
 * writes them; where that is behind, the machine waits. A journal that cannot be written any more
 * ends there, and the guest goes on.
 */
public final class Recorder implements RunObserver, AutoCloseable {
  /** Frames that wait for the disk: some MiB. */
  private static final int MAX_WAITING = 32;

  private final boolean messages;
  private final JournalWriter writer;
  private final Consumer<String> complaints;
  private final FrameBuilder builder = new FrameBuilder();

  /** Empty for the end. */
  private final BlockingQueue<Optional<Frame>> waiting = new ArrayBlockingQueue<>(MAX_WAITING);

  private final Thread thread;

  /** The file of the snapshot that the run is about to begin with; null if there is none. */
  private String restored;

  /** Nothing is recorded any more. */
  private volatile boolean over;

  /**
   * Begins to record.
   *
   * @param messages whether the machine's messages are recorded, too
   * @param writer of a new journal; closed with this
   * @param complaints gets one line if the journal cannot be written any more
   */
  public Recorder(boolean messages, JournalWriter writer, Consumer<String> complaints) {
    this.messages = messages;
    this.writer = writer;
    this.complaints = complaints;
    thread = Thread.ofPlatform().daemon().name("troupe-journal").start(this::write);
  }

  /**
   * The run begins with a snapshot; before the machine runs.
   *
   * @param checkpoint the name of its file beside the journal
   */
  public void begins(String checkpoint) {
    restored = checkpoint;
  }

  @Override
  public synchronized void restored(Place place, long hash) {
    if (restored != null) {
      String file = restored;
      restored = null;
      happened(new JournalRecord.Checkpoint(place, hash, file));
    }
  }

  @Override
  public boolean messages() {
    return messages;
  }

  @Override
  public boolean turns() {
    return messages;
  }

  @Override
  public synchronized void happened(JournalRecord record) {
    if (over || restored != null) {
      return;
    }
    builder.add(record);
    // What comes rarely is written at once: it is what a run can be had again from.
    if (builder.full() || record instanceof JournalRecord.Placed) {
      hand(Optional.of(builder.take()));
    }
  }

  /** Blocks while the disk is behind. */
  private void hand(Optional<Frame> frame) {
    boolean interrupted = false;
    while (true) {
      try {
        waiting.put(frame);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    Optional<String> failure = Optional.empty();
    for (Optional<Frame> next = next(); next.isPresent(); next = next()) {
      Frame frame = next.get();
      if (failure.isEmpty()) {
        failure = attempt(() -> writer.write(frame));
      } // else whoever waits for room must get it
    }
    if (failure.isEmpty()) {
      attempt(writer::finish);
    }
  }

  private Optional<Frame> next() {
    while (true) {
      try {
        return waiting.take();
      } catch (InterruptedException e) {
        // Nobody has a reason to.
      }
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private Optional<String> attempt(Step step) {
    try {
      step.run();
      return Optional.empty();
    } catch (IOException e) {
      over = true;
      complaints.accept("recording ended: " + e.getMessage() + "; the guest goes on");
      return Optional.of(e.getMessage());
    }
  }

  /** Writes what is left; returns when it is on the disk. The machine has ended. */
  @Override
  public void close() throws IOException {
    if (!builder.isEmpty()) {
      hand(Optional.of(builder.take()));
    }
    hand(Optional.empty());
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    writer.close();
  }
}
