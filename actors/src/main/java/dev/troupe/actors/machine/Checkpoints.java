package dev.troupe.actors.machine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * When the state of a deterministic machine is to be looked at, and where it comes from.
 *
 * @param hashEvery virtual time between two hashes that the machine tells of
 * @param snapshot when to save the state, and where
 * @param restore the snapshot that the machine begins with, instead of its power-on state
 * @param every snapshots at intervals
 */
public record Checkpoints(
    Optional<Duration> hashEvery,
    Optional<Snapshot> snapshot,
    Optional<Path> restore,
    Optional<Every> every) {
  /** No snapshots at intervals. */
  public Checkpoints(
      Optional<Duration> hashEvery, Optional<Snapshot> snapshot, Optional<Path> restore) {
    this(hashEvery, snapshot, restore, Optional.empty());
  }

  /** The state is not looked at. */
  public static final Checkpoints NONE =
      new Checkpoints(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * A snapshot at the first quiet point with so many instructions retired and so much virtual time
   * gone.
   */
  public record Snapshot(long instructions, long nanos, Path file) {}

  /**
   * How far it is from one snapshot to the next, whichever comes first.
   *
   * @param instructions 0 if they do not matter
   * @param nanos virtual; 0 if they do not matter
   */
  public record Interval(long instructions, long nanos) {
    /** So much virtual time. */
    public static Interval of(Duration time) {
      return new Interval(0, time.toNanos());
    }

    /** Whether there are any snapshots. */
    public boolean isAny() {
      return instructions > 0 || nanos > 0;
    }
  }

  /**
   * Snapshots at intervals.
   *
   * @param folder where; empty to look at the state only, where a snapshot would be taken
   */
  public record Every(Interval interval, Optional<Path> folder) {}
}
