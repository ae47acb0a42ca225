package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardMailbox;
import dev.troupe.actors.schedule.ExitSlot;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.journal.JournalActors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The numbers that a journal knows a machine's actors by, and who sends what. */
final class Cast {
  private final List<String> names;
  private final Map<String, Integer> devices = new HashMap<>();

  Cast(int vcpus, List<String> deviceNames) {
    names = JournalActors.names(vcpus, deviceNames);
    for (String device : deviceNames) {
      devices.put(device, names.indexOf(device));
    }
  }

  /** By number. */
  List<String> names() {
    return names;
  }

  int device(BoardMailbox.Queue mailbox) {
    return devices.get(mailbox.name());
  }

  /**
   * Who has sent a message.
   *
   * @param from the device whose actor did; null if it was none
   */
  int sender(BoardMailbox.Queue from, BoardCommand command) {
    if (from != null && !(command instanceof BoardCommand.Again)) {
      return device(from);
    }
    if (command instanceof BoardCommand.Again) {
      return JournalActors.MACHINE;
    }
    if (command instanceof BoardCommand.Call call) {
      return call.exit().vcpu() == ExitSlot.NO_VCPU
          ? JournalActors.MACHINE
          : JournalActors.FIRST_VCPU + call.exit().vcpu();
    }
    return command.message() instanceof BoardMessage.TimerFired
        ? JournalActors.CLOCK
        : JournalActors.GATE;
  }
}
