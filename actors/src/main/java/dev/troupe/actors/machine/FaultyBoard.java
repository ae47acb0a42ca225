package dev.troupe.actors.machine;

import dev.troupe.actors.device.DeviceActor;
import dev.troupe.actors.fault.FaultInjector;
import dev.troupe.actors.schedule.Board;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardMailbox;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.journal.Deed;
import dev.troupe.runtime.journal.JournalRecord;
import java.util.Optional;

/**
 * A board whose messages are subject to fault rules; who watches it sees them as they were sent.
 */
final class FaultyBoard implements Board.Recorder {
  private final Board.Recorder watch;
  private final Cast cast;
  private final FaultInjector faults;

  // The message under way.
  private long number;
  private int from;
  private int to;

  FaultyBoard(Board.Recorder watch, Cast cast, FaultInjector faults) {
    this.watch = watch;
    this.cast = cast;
    this.faults = faults;
  }

  @Override
  public void record(
      long given, BoardMailbox.Queue sender, BoardMailbox.Queue receiver, Object message) {
    watch.record(given, sender, receiver, message);
    if (message instanceof BoardCommand command) {
      number = given;
      from = cast.sender(sender, command);
      to = cast.device(receiver);
    }
  }

  @Override
  public Object instead(Object message) {
    if (!(message instanceof BoardCommand command) || command instanceof BoardCommand.Again) {
      return message;
    }
    BoardMessage sent = command.message();
    Optional<Deed> deed =
        faults.message(new JournalRecord.Message(number, from, to, command.time(), sent));
    return switch (deed.orElse(null)) {
      case null -> message;
      case Deed.Duplicated _ -> message;
      case Deed.Corrupted(JournalRecord.Message instead) -> changed(command, instead.message());
      case Deed.Answered(long value) -> nothing(command, value);
      default -> nothing(command, DeviceActor.unanswered(sent));
    };
  }

  private static BoardCommand changed(BoardCommand command, BoardMessage message) {
    return switch (command) {
      case BoardCommand.Call(var exit, var _, long time) ->
          new BoardCommand.Call(exit, message, time);
      case BoardCommand.Post(var _, long time) -> new BoardCommand.Post(message, time);
      case BoardCommand.Again(var _, long time) -> new BoardCommand.Again(message, time);
    };
  }

  private static Object nothing(BoardCommand command, long answer) {
    if (command instanceof BoardCommand.Call call) {
      call.exit().reply(answer);
    }
    return null;
  }

  @Override
  public void handled(Object message) {
    watch.handled(message);
    if (message instanceof BoardCommand && !(message instanceof BoardCommand.Again)) {
      faults.handled(number, to);
    }
  }
}
