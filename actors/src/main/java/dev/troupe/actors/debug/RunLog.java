package dev.troupe.actors.debug;

import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.machine.RunObserver;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * What happens in a run, for whoever moves in it, beside its comparison with the journal: also the
 * messages that the journal does not have.
 */
public final class RunLog implements RunObserver {
  private final Replayer replayer;
  private final Deque<JournalRecord> last = new ArrayDeque<>();
  private Predicate<JournalRecord> wanted;
  private Runnable found;

  /** Beside this comparison. */
  public RunLog(Replayer replayer) {
    this.replayer = replayer;
  }

  @Override
  public boolean messages() {
    return true;
  }

  @Override
  public boolean turns() {
    return replayer.turns();
  }

  @Override
  public void happened(JournalRecord record) {
    if (record instanceof JournalRecord.Schedule) {
      replayer.happened(record); // how long turns are is no news to who looks for messages
      return;
    }
    if (last.size() == ReplayTarget.KEPT) {
      last.removeFirst();
    }
    last.addLast(record);
    if (wanted != null && wanted.test(record)) {
      wanted = null;
      found.run();
    }
    boolean message =
        record instanceof JournalRecord.Message
            || record instanceof JournalRecord.Reply
            || record instanceof JournalRecord.Interrupted;
    if (replayer.messages() || !message) {
      replayer.happened(record);
    }
  }

  @Override
  public void quiet(Place place, LongSupplier hash) {
    replayer.quiet(place, hash);
  }

  @Override
  public void restored(Place place, long hash) {
    last.clear();
    replayer.restored(place, hash);
  }

  /** Is told, on a thread of the machine, of the next such record; null for none. */
  void want(Predicate<JournalRecord> what, Runnable then) {
    wanted = what;
    found = then;
  }

  /** The last records, oldest first; the machine stands. */
  List<JournalRecord> last(int count) {
    List<JournalRecord> all = new ArrayList<>(last);
    return all.subList(Math.max(0, all.size() - count), all.size());
  }
}
