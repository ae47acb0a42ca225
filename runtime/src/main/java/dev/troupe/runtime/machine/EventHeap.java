package dev.troupe.runtime.machine;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The timers of one machine, ordered by (deadline, actor index, order of setting). Each (actor,
 * timer) has one deadline at most; setting it again moves it, so the heap holds no more entries
 * than there are timers.
 */
public final class EventHeap implements Stateful {
  /** What an empty heap's first deadline is: never. */
  public static final long NEVER = Long.MAX_VALUE;

  /** Timers that one actor may number: devices have one or two. */
  private static final int MAX_TIMERS = 64;

  private static final int NOT_SET = -1;

  /** One timer's entry, kept and used again. */
  private static final class Entry {
    private final int actor;
    private final int timer;
    private long deadline = NEVER;
    private long sequence;
    private int place = NOT_SET;

    private Entry(int actor, int timer) {
      this.actor = actor;
      this.timer = timer;
    }

    private boolean before(Entry other) {
      if (deadline != other.deadline) {
        return deadline < other.deadline;
      }
      return actor != other.actor ? actor < other.actor : sequence < other.sequence;
    }
  }

  /** A timer that has come due. */
  public record Due(int actor, int timer, long deadline) {}

  private final Entry[][] entries;
  private Entry[] heap = new Entry[16];
  private int size;
  private long nextSequence;

  /** A heap for actors 0 to {@code actors - 1}. */
  public EventHeap(int actors) {
    entries = new Entry[actors][0];
  }

  /**
   * Sets or moves a timer.
   *
   * @param timer 0 to 63
   * @param deadline virtual nanoseconds; {@link #NEVER} stops it
   */
  public void set(int actor, int timer, long deadline) {
    Entry entry = entry(actor, timer);
    if (entry.place != NOT_SET) {
      remove(entry);
    }
    if (deadline == NEVER) {
      return;
    }
    entry.deadline = deadline;
    entry.sequence = nextSequence++;
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, 2 * size);
    }
    place(entry, size++);
    up(entry);
  }

  private Entry entry(int actor, int timer) {
    if (timer < 0 || timer >= MAX_TIMERS) {
      throw new IllegalArgumentException(
          "no such timer: actor=%d timer=%d".formatted(actor, timer));
    }
    Entry[] own = entries[actor];
    if (timer >= own.length) {
      int known = own.length;
      own = Arrays.copyOf(own, timer + 1);
      for (int i = known; i < own.length; i++) {
        own[i] = new Entry(actor, i);
      }
      entries[actor] = own;
    }
    return own[timer];
  }

  /** The first deadline, or {@link #NEVER}. */
  public long nextDeadline() {
    return size == 0 ? NEVER : heap[0].deadline;
  }

  /** Takes the first timer if it is due at {@code now}; else null. */
  public Due poll(long now) {
    if (size == 0 || heap[0].deadline > now) {
      return null;
    }
    Entry first = heap[0];
    remove(first);
    return new Due(first.actor, first.timer, first.deadline);
  }

  /** Stops all timers. */
  public void clear() {
    for (int i = 0; i < size; i++) {
      heap[i].place = NOT_SET;
      heap[i] = null;
    }
    size = 0;
  }

  /** A timer that is set, as it is saved. */
  private record Timer(int actor, int timer, long deadline, long sequence) {}

  /** The timers that are set, by actor and number: how they lie in the heap is not state. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    nextSequence = v.within("nextSequence", nextSequence, 0, Long.MAX_VALUE);
    List<Timer> timers =
        v.list(
            "timers",
            timers(),
            entries.length * MAX_TIMERS,
            new Timer(0, 0, 0, 0),
            (e, t) ->
                new Timer(
                    e.within("actor", t.actor, 0, entries.length - 1),
                    e.within("timer", t.timer, 0, MAX_TIMERS - 1),
                    e.within("deadline", t.deadline, Long.MIN_VALUE, NEVER - 1),
                    e.within("sequence", t.sequence, 0, nextSequence - 1)));
    int before = -1;
    for (Timer timer : timers) {
      int number = timer.actor * MAX_TIMERS + timer.timer;
      v.require(number > before, "timers", number, "actors and timers in ascending order");
      before = number;
    }
    if (v.restoring()) {
      long next = nextSequence;
      clear();
      for (Timer timer : timers) {
        nextSequence = timer.sequence;
        set(timer.actor, timer.timer, timer.deadline);
      }
      nextSequence = next;
    }
  }

  private List<Timer> timers() {
    List<Timer> timers = new ArrayList<>();
    for (Entry[] own : entries) {
      for (Entry entry : own) {
        if (entry.place != NOT_SET) {
          timers.add(new Timer(entry.actor, entry.timer, entry.deadline, entry.sequence));
        }
      }
    }
    return timers;
  }

  private void place(Entry entry, int at) {
    heap[at] = entry;
    entry.place = at;
  }

  private void remove(Entry entry) {
    int at = entry.place;
    entry.place = NOT_SET;
    Entry last = heap[--size];
    heap[size] = null;
    if (last != entry) {
      place(last, at);
      up(last);
      down(last);
    }
  }

  private void up(Entry entry) {
    int at = entry.place;
    while (at > 0 && entry.before(heap[(at - 1) / 2])) {
      place(heap[(at - 1) / 2], at);
      at = (at - 1) / 2;
    }
    place(entry, at);
  }

  private void down(Entry entry) {
    int at = entry.place;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1].before(heap[child])) {
        child++;
      }
      if (!heap[child].before(entry)) {
        break;
      }
      place(heap[child], at);
      at = child;
    }
    place(entry, at);
  }
}
