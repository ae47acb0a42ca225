package dev.troupe.actors.schedule;

import dev.troupe.runtime.machine.EventHeap;

/**
 * The parallel schedule: virtual time is the host's, and timers are driven by the node's {@link
 * HostTimer}.
 */
public final class ParallelSchedule implements Schedule {
  private final MachineClock clock = new MachineClock();
  private final HostTimer.Alarm alarm;
  private final Expiry expiry;

  // Guarded by this.
  private final EventHeap heap;
  private boolean closed;

  /**
   * Makes the schedule of one machine; its clock stands at 0.
   *
   * @param actors how many may set timers
   */
  public ParallelSchedule(HostTimer timer, int actors, Expiry expiry) {
    heap = new EventHeap(actors);
    this.expiry = expiry;
    alarm = timer.alarm(this::fire);
  }

  @Override
  public long nanos() {
    return clock.nanos();
  }

  @Override
  public synchronized void timer(int actor, int timer, long deadline) {
    if (closed) {
      return;
    }
    long before = heap.nextDeadline();
    heap.set(actor, timer, deadline);
    if (heap.nextDeadline() != before) {
      arm();
    }
  }

  @Override
  public synchronized void start() {
    if (!closed) {
      clock.start();
      arm();
    }
  }

  @Override
  public synchronized void stop() {
    clock.stop();
    alarm.stop();
  }

  @Override
  public synchronized void clear() {
    heap.clear();
    alarm.stop();
  }

  @Override
  public synchronized void close() {
    closed = true;
    clock.stop();
    heap.clear();
    alarm.stop();
  }

  /** On the timer's thread. What is due is taken out one by one, since each may set others. */
  private void fire() {
    while (true) {
      EventHeap.Due due;
      synchronized (this) {
        due = clock.running() ? heap.poll(clock.nanos()) : null;
        if (due == null) {
          arm();
          return;
        }
      }
      expiry.expired(due.actor(), due.timer(), due.deadline());
    }
  }

  private void arm() {
    long next = heap.nextDeadline();
    long wait = next == EventHeap.NEVER ? Long.MAX_VALUE : clock.hostNanosUntil(next);
    if (wait == Long.MAX_VALUE) {
      alarm.stop();
    } else {
      alarm.set(wait);
    }
  }
}
