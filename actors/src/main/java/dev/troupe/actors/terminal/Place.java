package dev.troupe.actors.terminal;

import dev.troupe.actors.wire.NodeMessage;

/**
 * A place in a console's output.
 *
 * @param epoch of the machine's start
 * @param offset bytes of output since that start, from 0
 */
public record Place(long epoch, long offset) implements NodeMessage {
  /** The place so many bytes later. */
  public Place plus(long bytes) {
    return new Place(epoch, offset + bytes);
  }

  @Override
  public String toString() {
    return "epoch " + epoch + " byte " + offset;
  }
}
