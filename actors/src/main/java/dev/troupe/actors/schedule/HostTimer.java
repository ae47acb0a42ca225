package dev.troupe.actors.schedule;

import java.util.Comparator;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's one timer thread: wakes each machine's schedule at its next deadline. It sleeps to the
 * earliest of them, so a node of idle machines costs nothing. Pekko's own timers tick every 10 ms
 * and are too coarse for a guest.
 */
public final class HostTimer implements Extension, AutoCloseable {
  private static final class Id extends AbstractExtensionId<HostTimer> {
    @Override
    public HostTimer createExtension(ExtendedActorSystem system) {
      HostTimer timer = new HostTimer();
      system.registerOnTermination(timer::close);
      return timer;
    }
  }

  private static final Id ID = new Id();
  private static final Logger LOG = LoggerFactory.getLogger(HostTimer.class);

  /** One machine's next deadline. */
  public final class Alarm {
    private final Runnable action;
    private final long number;

    // Guarded by the timer.
    private boolean set;
    private long at;

    private Alarm(Runnable action, long number) {
      this.action = action;
      this.number = number;
    }

    /** Sets or moves the alarm; the action runs on the timer's thread, and must not block. */
    public void set(long nanosFromNow) {
      long when = System.nanoTime() + Math.clamp(nanosFromNow, -FARTHEST, FARTHEST);
      boolean earlier;
      synchronized (HostTimer.this) {
        if (set && at == when) {
          return;
        }
        remove();
        set = true;
        at = when;
        alarms.add(this);
        earlier = when - wakeAt < 0;
      }
      if (earlier) {
        LockSupport.unpark(thread);
      }
    }

    /** Takes the alarm back. An action that has begun still ends. */
    public void stop() {
      synchronized (HostTimer.this) {
        remove();
      }
    }

    private void remove() {
      if (set) {
        alarms.remove(this);
        set = false;
      }
    }
  }

  /**
   * Alarms farther off, or longer ago, are set to this, about a year, so that differences of {@link
   * System#nanoTime} never wrap.
   */
  private static final long FARTHEST = 1L << 55;

  // Guarded by this.
  private final TreeSet<Alarm> alarms;
  private long alarmsMade;

  /** When the thread wakes by itself; not earlier than it does. */
  private long wakeAt;

  private volatile boolean closed;
  private final Thread thread;

  /** Starts the thread. */
  public HostTimer() {
    long start = System.nanoTime();
    wakeAt = start + FARTHEST;
    alarms =
        new TreeSet<>(
            Comparator.<Alarm>comparingLong(alarm -> alarm.at - start)
                .thenComparingLong(alarm -> alarm.number));
    thread = new Thread(this::run, "troupe-timer");
    thread.setDaemon(true);
    thread.start();
  }

  /** The one of this actor system. */
  public static HostTimer of(ActorSystem system) {
    return ID.get(system);
  }

  /** Makes an alarm, not set yet. */
  public synchronized Alarm alarm(Runnable action) {
    return new Alarm(action, alarmsMade++);
  }

  /** Alarms that are set. */
  synchronized int pending() {
    return alarms.size();
  }

  private void run() {
    while (!closed) {
      Alarm due = null;
      long wait = FARTHEST;
      synchronized (this) {
        long now = System.nanoTime();
        if (!alarms.isEmpty()) {
          wait = alarms.first().at - now;
        }
        if (wait <= 0) {
          due = alarms.pollFirst();
          due.set = false;
        } else {
          wakeAt = now + wait;
        }
      }
      if (due != null) {
        run(due);
      } else {
        LockSupport.parkNanos(this, wait);
      }
    }
  }

  private static void run(Alarm due) {
    try {
      due.action.run();
    } catch (RuntimeException | Error e) {
      // One machine's failure, whichever, must not stop the others' time.
      LOG.error("timer of a machine failed", e);
    }
  }

  /** Ends the thread. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
