package dev.troupe.actors.machine;

import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import java.util.function.LongSupplier;

/**
 * Sees what a machine does, in the machine's own order: of a deterministic machine one call at a
 * time, on whichever thread the machine is. It may take its time, and must not touch the machine.
 * Of a parallel machine messages come in the board's order, interrupts beside them from other
 * threads; there are no quiet points.
 */
public interface RunObserver {
  /** Sees nothing. */
  RunObserver NONE = record -> {};

  /** Something has happened, or is about to. */
  void happened(JournalRecord record);

  /** Whether messages, replies and interrupts are to be told, too; the same at all times. */
  default boolean messages() {
    return false;
  }

  /** Whether the turns of a machine with one vCPU are to be told, too; the same at all times. */
  default boolean turns() {
    return false;
  }

  /**
   * The machine stands at a quiet point, and lets nothing in before this returns.
   *
   * @param hash computes the hash of the state
   */
  default void quiet(Place place, LongSupplier hash) {}

  /** The serial line has put out these bytes. */
  default void output(byte[] bytes) {}

  /**
   * The machine has taken over the state of a snapshot; what happened before was another run.
   *
   * @param place where that run was
   * @param hash of the state
   */
  default void restored(Place place, long hash) {}
}
