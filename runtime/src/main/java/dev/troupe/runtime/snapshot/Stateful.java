package dev.troupe.runtime.snapshot;

/** A part of a machine that has state. */
@FunctionalInterface
public interface Stateful {
  /**
   * Shows every piece of state to the visitor, always in the same order, and takes over what comes
   * back: {@code pins = v.int16("pins", pins)}. The one description of the part's state: what is
   * saved, restored, hashed and listed. {@link StateVisitor#version} comes first.
   *
   * <p>Only at a quiet point: nothing else uses the part meanwhile. After the last field, where
   * {@link StateVisitor#restoring()}, the part computes anew what follows from its state.
   */
  void state(StateVisitor v);
}
