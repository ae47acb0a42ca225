package dev.troupe.actors.machine;

import dev.troupe.actors.vcpu.TurnMeter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * The processor time of machines' turns, on all threads of a node.
 *
 * <p>Asking the host for a thread's processor time is a system call, and a busy guest may have
 * fifty thousand turns a second. So a thread takes each turn's time by the wall clock, which is
 * cheap, and asks the host once in a while: what the thread has really had of a processor since
 * then is shared out among those turns. A machine's figure is late by at most one such while of
 * each thread.
 */
public final class TurnTimes {
  /** Turns of so much time are settled together, ns. */
  static final long WINDOW_NANOS = 1_000_000;

  /** Or so many turns. */
  static final int WINDOW_TURNS = 64;

  /** The turns of one thread that are not settled. */
  private static final class Window {
    final AtomicLong[] totals = new AtomicLong[WINDOW_TURNS];
    final long[] nanos = new long[WINDOW_TURNS];
    int turns;
    long sum;

    /** When the turn under way began. */
    long begun;

    /** The thread's processor time when the window was opened. */
    long processor;
  }

  private final LongSupplier wall;
  private final LongSupplier processor;
  private final ThreadLocal<Window> windows = ThreadLocal.withInitial(this::open);

  /**
   * Times by these clocks.
   *
   * @param wall monotonic, ns
   * @param processor what the calling thread has had of a processor, ns; negative if nobody knows
   */
  TurnTimes(LongSupplier wall, LongSupplier processor) {
    this.wall = wall;
    this.processor = processor;
  }

  /** Times by the host's clocks. */
  public static TurnTimes ofHost() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return new TurnTimes(
        System::nanoTime,
        threads.isCurrentThreadCpuTimeSupported() ? threads::getCurrentThreadCpuTime : () -> -1);
  }

  /** Adds turns' times to a total, ns. */
  TurnMeter into(AtomicLong total) {
    return new TurnMeter() {
      @Override
      public void begin() {
        windows.get().begun = wall.getAsLong();
      }

      @Override
      public void end() {
        Window window = windows.get();
        add(window, total, Math.max(0, wall.getAsLong() - window.begun));
      }
    };
  }

  private Window open() {
    Window window = new Window();
    window.processor = processor.getAsLong();
    return window;
  }

  private void add(Window window, AtomicLong total, long nanos) {
    window.totals[window.turns] = total;
    window.nanos[window.turns++] = nanos;
    window.sum += nanos;
    if (window.sum >= WINDOW_NANOS || window.turns == WINDOW_TURNS) {
      settle(window);
    }
  }

  private void settle(Window window) {
    long now = processor.getAsLong();
    long had = now - window.processor;
    // The thread does other things, too: no turn has had more of a processor than it lasted.
    double share = now < 0 || had >= window.sum ? 1 : Math.max(0, had) / (double) window.sum;
    for (int i = 0; i < window.turns; i++) {
      window.totals[i].addAndGet(Math.round(window.nanos[i] * share));
      window.totals[i] = null; // its machine may be gone long before the next turn
    }
    window.turns = 0;
    window.sum = 0;
    window.processor = now;
  }
}
