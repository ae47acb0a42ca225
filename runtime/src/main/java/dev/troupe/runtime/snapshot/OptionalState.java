package dev.troupe.runtime.snapshot;

/**
 * A part at the top of a machine's state that most machines have none of: while it is vacant it is
 * neither saved nor hashed, so that those who do not use it, and what was saved before there was
 * such a part, know nothing of it.
 */
public interface OptionalState extends Stateful {
  /** Whether its state is that of a new machine. */
  boolean vacant();

  /** Makes it so. */
  void vacate();
}
