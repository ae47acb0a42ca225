package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.Board;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardMailbox;

/**
 * Counts a board's messages as they are handled; written by whoever drains, read when the machine
 * is at rest.
 */
final class MessageCounters implements Board.Recorder {
  private final long[] byKind = new long[MessageKind.values().length];
  private long calls;

  @Override
  public void record(long number, BoardMailbox.Queue from, BoardMailbox.Queue to, Object message) {
    if (message instanceof BoardCommand command) {
      byKind[MessageKind.of(command.message()).ordinal()]++;
      if (command instanceof BoardCommand.Call) {
        calls++;
      }
    }
  }

  long[] byKind() {
    return byKind.clone();
  }

  long calls() {
    return calls;
  }
}
