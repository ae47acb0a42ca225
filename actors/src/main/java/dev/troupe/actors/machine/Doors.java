package dev.troupe.actors.machine;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;

/** Which messages are let in at the doors of a machine's actors: where faults are injected. */
public interface Doors {
  /** Everything is let in. */
  Doors OPEN = new Doors() {};

  /** False drops a message to the device of that name. */
  default boolean device(String name, BoardMessage message) {
    return true;
  }

  /** False drops an interrupt to the vCPU with that index. */
  default boolean vcpu(int index, Interrupt interrupt) {
    return true;
  }
}
