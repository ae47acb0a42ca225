package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.CommandRecord;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import java.util.ArrayList;
import java.util.List;

/** Commands that are remembered: those under way, and the youngest that have ended. */
final class CommandRecords {
  private CommandRecords() {}

  /** The commands after some have ended; a command under way is never dropped. */
  static List<CommandRecord> ended(List<CommandRecord> before, List<CommandResult> results) {
    List<CommandRecord> after = new ArrayList<>();
    for (CommandRecord command : before) {
      after.add(command.hasResult() ? command : ended(command, results));
    }
    long excess = after.stream().filter(CommandRecord::hasResult).count() - Limits.KEPT_RESULTS;
    for (int i = 0; excess > 0; ) {
      if (after.get(i).hasResult()) {
        after.remove(i);
        excess--;
      } else {
        i++;
      }
    }
    return after;
  }

  private static CommandRecord ended(CommandRecord command, List<CommandResult> results) {
    for (CommandResult result : results) {
      if (command.getCommand().getId().equals(result.getId())) {
        // Of what it was only the id is needed from now on.
        return CommandRecord.newBuilder()
            .setCommand(Command.newBuilder().setId(result.getId()))
            .setResult(result)
            .build();
      }
    }
    return command;
  }
}
