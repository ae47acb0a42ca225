package dev.troupe.actors.terminal;

/**
 * Whether a machine's output is still to be believed: its node may have been cut off or frozen for
 * so long that the machine was started elsewhere.
 *
 * <p>Asked by the hub, on its thread, for each write at the moment of it, and again whenever bytes
 * of a machine that has not ended are about to be given to a reader. A no at a write is for ever:
 * the host has to stop the machine, and what it put out under that epoch is shown to nobody any
 * more. A no at a read only makes the reader ask where the machine is. When a machine has ended
 * while the answer was yes, its fence is not asked again: so a node that gives up a machine in
 * order says yes until the machine has ended.
 */
public interface Fence {
  /** No fence: a machine that only this process can have. */
  Fence NONE = () -> true;

  /** Whether a byte may leave now. Must not block. */
  boolean mayEmit();

  /** Output was kept back for ever: told once, on the hub's thread. */
  default void refused() {}

  /** Why it may not, for the log. */
  default String reason() {
    return "the node's lease has run out";
  }
}
