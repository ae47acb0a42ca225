package dev.troupe.actors.cluster.simulation;

import com.google.protobuf.Message;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.ToLongFunction;

/** The one database: states by name, with an event's number unique in each, as journals have it. */
final class SimStore {
  private final SimClock clock;
  private final Map<String, Message> states = new HashMap<>();
  boolean down;

  /** A planted bug: some writes are acknowledged and lost. */
  boolean forgetful;

  SimStore(SimClock clock) {
    this.clock = clock;
  }

  Message read(String name, Message empty) {
    return states.getOrDefault(name, empty);
  }

  /**
   * Writes an event that follows a state.
   *
   * @return whether it is stored: not when the store is down or somebody else has written
   */
  boolean write(
      String name,
      Message before,
      Message event,
      BinaryOperator<Message> apply,
      ToLongFunction<Message> revision) {
    Message known = states.get(name);
    long stored = known == null ? 0 : revision.applyAsLong(known);
    if (down || stored != revision.applyAsLong(before)) {
      return false;
    }
    if (!forgetful || !clock.chance(0.2)) {
      states.put(name, apply.apply(before, event));
    }
    return true;
  }
}
