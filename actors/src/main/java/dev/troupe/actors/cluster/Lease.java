package dev.troupe.actors.cluster;

/**
 * This node's lease, as its machines' consoles look at it before they let a byte out. By the
 * monotonic clock, so that a process which slept finds at once that it is over.
 */
public final class Lease {
  private volatile long until = System.nanoTime() - 1;

  /** Held until then, by this process's clock. */
  void extend(long nanos) {
    until = nanos;
  }

  /** Whether it is held at this moment. */
  public boolean held() {
    return System.nanoTime() - until < 0;
  }

  /** For how long it has not been held, in nanoseconds; negative if it is. */
  public long overdueNanos() {
    return System.nanoTime() - until;
  }
}
