package dev.troupe.runtime.machine;

import java.util.Arrays;

/**
 * The timers of one machine, ordered by (deadline, actor index, order of setting). Each (actor,
 * timer) has one deadline at most; setting it again moves it, so the heap holds no more entries
 * than there are timers.
 */
public final class EventHeap {
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
