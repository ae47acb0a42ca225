package dev.troupe.actors.schedule;

import dev.troupe.runtime.cpu.TimeSource;
import java.util.function.LongSupplier;

/**
 * A machine's virtual time in the parallel schedule: the host's monotonic clock since power-on,
 * less the time that the machine stood paused. From any thread; never goes back.
 */
public final class MachineClock implements TimeSource {
  /**
   * @param origin the host's time at which virtual time was zero, had the machine never paused
   * @param stopped the virtual time at which the clock stands, {@link #RUNNING} or {@link
   *     #STOPPING}
   */
  private record State(long origin, long stopped) {}

  private static final long RUNNING = -1;

  /**
   * The time to stop at is being read. Nobody may be told another one meanwhile: it could be later.
   */
  private static final long STOPPING = -2;

  private final LongSupplier host;

  /** Whether that is the clock that emitted code reads. */
  private final boolean monotonic;

  private volatile State state;

  /** A clock that stands at 0 until {@link #start}, over {@link System#nanoTime}. */
  public MachineClock() {
    this(System::nanoTime, true);
  }

  /** A clock over another monotonic one, in nanoseconds. */
  MachineClock(LongSupplier host) {
    this(host, false);
  }

  private MachineClock(LongSupplier host, boolean monotonic) {
    this.host = host;
    this.monotonic = monotonic;
    state = new State(0, 0);
  }

  @Override
  public long nanos() {
    while (true) {
      State seen = state;
      if (seen.stopped == STOPPING) {
        seen = settled();
      }
      if (seen.stopped != RUNNING) {
        return seen.stopped;
      }
      long now = host.getAsLong() - seen.origin;
      if (seen.equals(state)) {
        return now; // else the clock was stopped and moved on between the two reads
      }
    }
  }

  /** The clock is not stopped while a vCPU runs. */
  @Override
  public long behindHost() {
    State seen = state;
    return monotonic && seen.stopped == RUNNING ? seen.origin : NOT_HOST;
  }

  /** The state when {@link #stop} has done its work. */
  private synchronized State settled() {
    return state;
  }

  /**
   * Host nanoseconds from now until {@code deadline}; {@link Long#MAX_VALUE} while the clock
   * stands.
   */
  public long hostNanosUntil(long deadline) {
    return running() ? Math.max(0, deadline - nanos()) : Long.MAX_VALUE;
  }

  /** False while the clock stands. */
  public boolean running() {
    return state.stopped == RUNNING;
  }

  /** Lets the clock go on from where it stands. */
  public synchronized void start() {
    if (!running()) {
      state = new State(host.getAsLong() - state.stopped, RUNNING);
    }
  }

  /** Stops the clock. */
  public synchronized void stop() {
    if (running()) {
      long origin = state.origin;
      state = new State(origin, STOPPING);
      state = new State(origin, host.getAsLong() - origin);
    }
  }
}
