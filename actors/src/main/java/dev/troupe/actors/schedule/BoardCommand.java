package dev.troupe.actors.schedule;

import dev.troupe.proto.message.BoardMessage;

/**
 * What a board actor receives: a message with its sender's time, and the exit that waits for it, if
 * one does.
 */
public sealed interface BoardCommand {
  /** The message. */
  BoardMessage message();

  /** The sender's virtual time in nanoseconds. */
  long time();

  /**
   * A vCPU waits: the receiver answers with {@link ExitSlot#reply}.
   *
   * @param exit the slot of the vCPU
   */
  record Call(ExitSlot exit, BoardMessage message, long time)
      implements BoardCommand, ExitSlot.Root {}

  /** A fault rule sends a message once more, or late. Nobody waits, and no rule is about it. */
  record Again(BoardMessage message, long time) implements BoardCommand {}

  /** Nobody waits: a line, a timer, input from outside. */
  record Post(BoardMessage message, long time) implements BoardCommand {}
}
