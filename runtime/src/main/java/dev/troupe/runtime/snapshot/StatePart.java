package dev.troupe.runtime.snapshot;

/**
 * A part at the top of a machine's state.
 *
 * @param name unique in its machine, ASCII, 1 to 255 characters: {@code vcpu0}, {@code pic}
 */
public record StatePart(String name, Stateful part) {
  /** Whether it is left out: see {@link OptionalState}. */
  boolean absent() {
    return part instanceof OptionalState optional && optional.vacant();
  }
}
