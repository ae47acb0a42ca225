package dev.troupe.actors.journal;

import dev.troupe.actors.machine.RunObserver;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * Follows a run that is a journal's up to a position, and then its own. It becomes its own at the
 * first quiet point that has come so far, or with the first thing that a rule does which the
 * journal's machine did not have.
 */
public final class BranchObserver implements RunObserver {
  /** What looks at the run, on the machine's thread. */
  public interface Watcher {
    /** The run is its own from here on. */
    default void branched(Position at) {}

    /** A rule has done something, after the branch. */
    default void injected(JournalRecord.Injected what) {}

    /** The serial line has put out these bytes; before the branch, too. */
    default void output(byte[] bytes) {}

    /** Whether the run, which is its own, has come far enough; asked at quiet points. */
    default boolean enough(Position now) {
      return false;
    }

    /** The same at the machine's end. */
    default boolean enough(JournalRecord.End end) {
      return false;
    }
  }

  /** How it ended, before the machine did. */
  public sealed interface Over {}

  /** The run was not the journal's up to its branch. */
  public record Different(Replayer.Result how) implements Over {}

  /** {@link Watcher#enough} held. */
  public record Enough(Position at) implements Over {}

  private final Replayer replayer;
  private final int rules;
  private final Where from;
  private final Optional<Recorder> recorder;
  private final Watcher watcher;
  private final CompletableFuture<Over> over = new CompletableFuture<>();

  /** False while the machine does what comes before its checkpoint. */
  private boolean begun;

  private boolean branched;

  /**
   * A run to be followed.
   *
   * @param replayer compares it up to the branch
   * @param rules how many the journal's machine has
   * @param from where the branch is
   * @param restored whether the run begins with a checkpoint
   * @param recorder of the new run; it has what comes before the checkpoint already
   */
  public BranchObserver(
      Replayer replayer,
      int rules,
      Where from,
      boolean restored,
      Optional<Recorder> recorder,
      Watcher watcher) {
    this.replayer = replayer;
    this.rules = rules;
    this.from = from;
    this.recorder = recorder;
    this.watcher = watcher;
    begun = !restored;
  }

  /** Completed on a thread of the machine, which goes on until it is stopped. */
  public CompletableFuture<Over> over() {
    return over;
  }

  @Override
  public boolean messages() {
    return replayer.messages();
  }

  @Override
  public boolean turns() {
    return replayer.turns();
  }

  @Override
  public void restored(Place place, long hash) {
    begun = true;
    replayer.restored(place, hash);
  }

  @Override
  public void output(byte[] bytes) {
    if (begun && !over.isDone()) {
      watcher.output(bytes);
    }
  }

  @Override
  public void happened(JournalRecord record) {
    if (!begun || over.isDone()) {
      return;
    }
    if (record instanceof JournalRecord.Injected what && what.rule() > rules) {
      branch(new Position(0, what.number(), what.time()));
      watcher.injected(what);
    }
    recorder.ifPresent(r -> r.happened(record));
    if (!branched) {
      replayer.happened(record);
      compared();
    } else if (record instanceof JournalRecord.End end && watcher.enough(end)) {
      over.complete(new Enough(end.position()));
    }
  }

  private void branch(Position at) {
    if (!branched) {
      branched = true;
      watcher.branched(at);
    }
  }

  private void compared() {
    Replayer.Result result = replayer.result().getNow(null);
    if (result != null) {
      over.complete(new Different(result));
    }
  }

  @Override
  public void quiet(Place place, LongSupplier hash) {
    if (!begun || over.isDone()) {
      return;
    }
    if (from.test(place.position())) {
      branch(place.position());
    }
    if (!branched) {
      replayer.quiet(place, hash);
      compared();
    } else if (watcher.enough(place.position())) {
      // So the new journal ends just here, and its replay does.
      recorder.ifPresent(
          r -> r.happened(new JournalRecord.End(place, place.position(), false, 0, "far enough")));
      over.complete(new Enough(place.position()));
    }
  }
}
