package dev.troupe.actors.journal;

import dev.troupe.actors.machine.RunObserver;
import dev.troupe.proto.journal.JournalLevel;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Compares a run with its journal, record by record, up to the first that differs, to the journal's
 * end, or to where the user wants to be.
 */
public final class Replayer implements RunObserver, AutoCloseable {
  /** How a replay ended. */
  public sealed interface Result {}

  /** All records are the journal's. */
  public record Identical(Position position, long hash) implements Result {}

  /**
   * The first record that differs.
   *
   * @param place the last quiet point before
   * @param expected null if the journal has none
   * @param actual null if the run has none
   */
  public record Diverged(Place place, JournalRecord expected, JournalRecord actual)
      implements Result {}

  /**
   * The run is where the user wants it to be; up to here it is the journal's.
   *
   * @param last the record that was waited for; null if it was a position
   */
  public record Reached(Position position, long hash, JournalRecord last) implements Result {}

  /** The journal cannot be read any more. */
  public record Unreadable(String reason) implements Result {}

  /**
   * Where a replay is to end.
   *
   * @param position at the first quiet point for which this holds, unless the run stands before
   * @param record at the first quiet point after such a record, unless the run stands before
   */
  public record Goal(Predicate<Position> position, Predicate<JournalRecord> record) {
    /** The journal's end. */
    public static final Goal END = new Goal(position -> false, record -> false);
  }

  private final JournalReader reader;
  private final Goal goal;
  private final boolean messages;
  private final CompletableFuture<Result> result = new CompletableFuture<>();

  /** False while the machine does what comes before its checkpoint. */
  private boolean compares;

  private boolean over;
  private JournalRecord expected;
  private JournalRecord found;
  private Runnable whenFound = () -> {};
  private Runnable whenOver = () -> {};
  private Place place = Place.START;

  /**
   * Compares with what this reader gives.
   *
   * @param reader stands where the run begins; closed with this
   * @param restored whether the run begins with a checkpoint
   */
  public Replayer(JournalReader reader, Goal goal, boolean restored) throws IOException {
    this.reader = reader;
    this.goal = goal;
    messages = reader.header().getLevel() == JournalLevel.JOURNAL_LEVEL_MESSAGES;
    compares = !restored;
    expected = reader.next();
  }

  /** Completed on a thread of the machine, which is to stand then: see {@link #whenOver}. */
  public CompletableFuture<Result> result() {
    return result;
  }

  /** Is told, on a thread of the machine, when the goal's record has come. */
  public void whenFound(Runnable then) {
    whenFound = then;
  }

  /**
   * Is told, on a thread of the machine, that there is a result: what the machine did from here on
   * would be no part of the recorded run.
   */
  public void whenOver(Runnable then) {
    whenOver = then;
  }

  /** The run stands between two instructions, where its user wants it to be. */
  public void stands(Position position, long hash) {
    if (!over) {
      end(new Reached(position, hash, found));
    }
  }

  @Override
  public boolean messages() {
    return messages;
  }

  @Override
  public boolean turns() {
    return reader.header().getTurns();
  }

  @Override
  public void restored(Place at, long hash) {
    compares = true;
  }

  @Override
  public void happened(JournalRecord record) {
    if (over || !compares) {
      return;
    }
    if (cut()) {
      if (record instanceof JournalRecord.End end && end.exact()) {
        end(new Identical(end.position(), end.hash())); // it came a little farther than recorded
      }
      return;
    }
    if (!same(expected, record)) {
      end(new Diverged(place, expected, record));
      return;
    }
    if (record instanceof JournalRecord.End end) {
      end(new Identical(end.position(), end.hash()));
      return;
    }
    if (found == null && goal.record().test(record)) {
      found = record;
      whenFound.run();
    }
    advance();
  }

  /** The journal has no more than this to compare with: it was cut, or the run was ended. */
  private boolean cut() {
    return expected == null || (expected instanceof JournalRecord.End end && !end.exact());
  }

  private static boolean same(JournalRecord expected, JournalRecord actual) {
    if (expected instanceof JournalRecord.Checkpoint one
        && actual instanceof JournalRecord.Checkpoint other) {
      return one.place().equals(other.place()) && one.hash() == other.hash(); // no file here
    }
    return JournalRecord.same(expected, actual);
  }

  private void advance() {
    try {
      expected = reader.next();
    } catch (IOException e) {
      end(new Unreadable(e.getMessage()));
    }
  }

  @Override
  public void quiet(Place now, LongSupplier hash) {
    if (over || !compares) {
      return;
    }
    place = now;
    if (found != null || goal.position().test(now.position())) {
      end(new Reached(now.position(), hash.getAsLong(), found));
    } else if (cut()) {
      long last = expected instanceof JournalRecord.End end ? end.place().turn() : 0;
      if (now.turn() >= last) {
        end(new Identical(now.position(), hash.getAsLong()));
      }
    } else if (expected instanceof JournalRecord.Placed missed && passed(missed.place())) {
      end(new Diverged(now, missed, null));
    }
  }

  /** The run is beyond what should have happened there. */
  private boolean passed(Place there) {
    return place.turn() > there.turn() || place.position().nanos() > there.position().nanos();
  }

  private void end(Result how) {
    over = true;
    whenOver.run();
    result.complete(how);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
