package dev.troupe.actors.cluster.logic;

import java.time.Duration;

/** Bounds and intervals of the cluster's protocol, each with its reason. */
public final class Limits {
  /** Commands of a machine whose results are kept, so that a repeated one finds its own. */
  public static final int KEPT_RESULTS = 64;

  /** Commands of a machine under way; more are refused, none is forgotten. */
  public static final int PENDING_COMMANDS = 32;

  /** Messages that an entity keeps while its store writes. */
  public static final int WAITING_INPUTS = 256;

  /** Closed epochs that a host remembers: more machines than a node ever has. */
  public static final int TOMBSTONES = 100_000;

  /** A graceful stop that the guest does not heed ends after this, as in vmd(8). */
  public static final long GRACEFUL_STOP_NANOS = Duration.ofMinutes(2).toNanos();

  /** How long an entity waits for offers. Hosts answer at once or are not there. */
  public static final long BID_NANOS = Duration.ofSeconds(1).toNanos();

  /** How long a host expects a machine that has chosen it: longer than a store takes. */
  public static final long PROMISE_NANOS = Duration.ofSeconds(5).toNanos();

  /** Machines that a host expects, or was asked about just now; the oldest are forgotten. */
  public static final int PROMISES = 10_000;

  /** How long a host that says nothing, or no for now, is asked again before that is an answer. */
  public static final long PASSING_NANOS = Duration.ofSeconds(10).toNanos();

  /** When a machine that fits nowhere is offered again. */
  public static final long REBID_NANOS = Duration.ofSeconds(2).toNanos();

  /** When what has not been confirmed is said again. */
  public static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** How often a host reports each machine unasked. */
  public static final long REPORT_NANOS = Duration.ofSeconds(2).toNanos();

  /** Machines that leave a drained node at once: the others' turn comes when these are gone. */
  public static final int EVICTED_AT_ONCE = 2;

  /**
   * Machines that a node which is about to go sends away at each tick. Entities that choose at the
   * same time see nothing of one another's choice, so not all at once; a hundred in two seconds.
   */
  public static final int LEAVING_AT_ONCE = 16;

  private Limits() {}
}
