package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.Board;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardMailbox;
import dev.troupe.actors.schedule.ExitSlot;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.journal.JournalRecord;

/** Counts a board's messages, and tells an observer of each and of what it was answered. */
final class BoardWatch implements Board.Recorder {
  private final MessageCounters counters;
  private final Cast cast;
  private final RunObserver observer;

  BoardWatch(MessageCounters counters, Cast cast, RunObserver observer) {
    this.counters = counters;
    this.cast = cast;
    this.observer = observer;
  }

  @Override
  public void record(long number, BoardMailbox.Queue from, BoardMailbox.Queue to, Object message) {
    counters.record(number, from, to, message);
    if (message instanceof BoardCommand command) {
      observer.happened(
          new JournalRecord.Message(
              number,
              cast.sender(from, command),
              cast.device(to),
              command.time(),
              command.message()));
    }
  }

  @Override
  public void handled(Object message) {
    if (message instanceof BoardCommand.Call(ExitSlot exit, BoardMessage asked, long _)
        && exit.vcpu() != ExitSlot.NO_VCPU
        && (asked instanceof BoardMessage.IoRead
            || asked instanceof BoardMessage.InterruptAcknowledge)) {
      observer.happened(new JournalRecord.Reply(exit.vcpu(), exit.value()));
    }
  }
}
