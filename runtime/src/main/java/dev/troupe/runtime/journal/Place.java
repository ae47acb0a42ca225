package dev.troupe.runtime.journal;

import dev.troupe.runtime.machine.Position;

/**
 * A quiet point of a run. Its position does not always say which one: a vCPU that looks at its
 * pending set and halts again retires nothing.
 *
 * @param turn turns that the schedule has given away before it
 */
public record Place(long turn, Position position) {
  /** Before the machine's first message. */
  public static final Place START = new Place(0, new Position(0, 0, 0));

  @Override
  public String toString() {
    return position.toString();
  }
}
