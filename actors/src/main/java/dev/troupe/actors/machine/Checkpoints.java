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
 */
public record Checkpoints(
    Optional<Duration> hashEvery, Optional<Snapshot> snapshot, Optional<Path> restore) {
  /** The state is not looked at. */
  public static final Checkpoints NONE =
      new Checkpoints(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * A snapshot at the first quiet point with so many instructions retired and so much virtual time
   * gone.
   */
  public record Snapshot(long instructions, long nanos, Path file) {}
}
