package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardMailbox;
import dev.troupe.actors.schedule.ExitSlot;
import dev.troupe.proto.message.BoardMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The numbers that a journal knows a machine's actors by, and who sends what. */
final class Cast {
  private static final int MACHINE = 0;
  private static final int GATE = 1;
  private static final int CLOCK = 2;
  private static final int FIRST_VCPU = 3;

  private final List<String> names = new ArrayList<>(List.of("machine", "gate", "clock"));
  private final Map<String, Integer> devices = new HashMap<>();

  Cast(int vcpus, List<String> deviceNames) {
    for (int i = 0; i < vcpus; i++) {
      names.add("vcpu" + i);
    }
    for (String device : deviceNames) {
      devices.put(device, names.size());
      names.add(device);
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
    if (from != null) {
      return device(from);
    }
    if (command instanceof BoardCommand.Call call) {
      return call.exit().vcpu() == ExitSlot.NO_VCPU ? MACHINE : FIRST_VCPU + call.exit().vcpu();
    }
    return command.message() instanceof BoardMessage.TimerFired ? CLOCK : GATE;
  }
}
