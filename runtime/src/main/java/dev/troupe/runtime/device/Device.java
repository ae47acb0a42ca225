package dev.troupe.runtime.device;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * A deterministic state machine behind a register interface: no thread, clock or I/O of its own.
 * The same state, message and time give the same effects. Restoring its state reports neither lines
 * nor timers again: those are state of whoever they lead to.
 */
public interface Device extends Stateful {
  /** Short, stable, unique in its machine: {@code pic}, {@code uart0}. */
  String name();

  /**
   * Handles one message.
   *
   * @param message what arrived; a message that the device does not know is ignored
   * @param now virtual time in nanoseconds; never less than in an earlier call
   * @param effects where everything that leaves the device goes
   * @return the value read, zero-extended, for a message that asks for one; else 0
   */
  long handle(BoardMessage message, long now, Effects effects);
}
