package dev.troupe.actors.cluster.simulation;

import java.util.PriorityQueue;
import java.util.Random;

/** Simulated time: what is to happen, in the order of time, and the seed's random numbers. */
final class SimClock {
  private record Due(long nanos, long sequence, Runnable what) {}

  static final long MILLI = 1_000_000L;
  static final long SECOND = 1000 * MILLI;

  private final PriorityQueue<Due> queue =
      new PriorityQueue<>(
          (a, b) ->
              a.nanos != b.nanos
                  ? Long.compare(a.nanos, b.nanos)
                  : Long.compare(a.sequence, b.sequence));

  final Random random;
  private long now;
  private long sequence;
  private long steps;

  SimClock(long seed) {
    random = new Random(seed);
  }

  long now() {
    return now;
  }

  long steps() {
    return steps;
  }

  void after(long nanos, Runnable what) {
    queue.add(new Due(now + nanos, sequence++, what));
  }

  /** Between two durations, both in milliseconds. */
  void within(long least, long most, Runnable what) {
    after(least * MILLI + (long) (random.nextDouble() * (most - least) * MILLI), what);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /** Does the next thing that is due before a time; false if there is none. */
  boolean step(long before) {
    Due due = queue.peek();
    if (due == null || due.nanos > before) {
      now = Math.max(now, before);
      return false;
    }
    queue.remove();
    now = due.nanos;
    steps++;
    due.what.run();
    return true;
  }
}
