package dev.troupe.actors.schedule;

/**
 * How long a halted vCPU keeps its thread and looks out for an interrupt before it gives it back:
 * waking a thread costs tens of microseconds, and guests whose vCPUs wait for each other halt for
 * less. As KVM's halt polling (Linux Documentation/virt/kvm/halt-polling.rst) it adapts itself: a
 * halt that ends soon after the thread was given back makes the next look-out longer, a long one
 * ends them, so that an idle guest costs nothing. Where others want the processor, which is seen by
 * a look-out that stands still in its middle, there is none for a while. Times in nanoseconds; one
 * thread at a time.
 */
final class HaltPoll {
  /** The first look-out, once there is reason for one. */
  static final long FIRST = 10_000;

  /** The longest one, and the longest halt that one would have been of use for. */
  static final long MOST = 200_000;

  /** Between two looks, if the thread has its processor: less. */
  static final long STILL = 500_000;

  /** Halts without a look-out after one that stood still. */
  static final int BUSY_HALTS = 64;

  private static final long NOT_HALTED = -1;

  private long window;
  private long since = NOT_HALTED;
  private long looked;
  private int busy;

  /** The vCPU halts now; gives when its look-out ends. */
  long halted(long now) {
    since = now;
    looked = now;
    return busy > 0 ? now : now + window;
  }

  /** The vCPU's thread looks. */
  void looks(long now) {
    if (now - looked > STILL) {
      window = 0;
      busy = BUSY_HALTS;
    }
    looked = now;
  }

  /** The vCPU goes on now, if it had halted. */
  void goesOn(long now) {
    if (since == NOT_HALTED) {
      return;
    }
    long stood = now - since;
    since = NOT_HALTED;
    if (busy > 0) {
      busy--;
    } else if (stood > MOST) {
      window = 0;
    } else if (stood > window) {
      window = Math.clamp(2 * window, FIRST, MOST);
    }
  }
}
