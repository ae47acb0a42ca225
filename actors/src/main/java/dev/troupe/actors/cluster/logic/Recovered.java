package dev.troupe.actors.cluster.logic;

import com.google.protobuf.Message;

/** What a store that has started again says of the event that was being stored. */
public enum Recovered {
  /** It is stored, though nobody has said so. */
  STORED,
  /** It is not; all else is as it was. */
  NOT_STORED,
  /** Nothing was being stored, and all is as it was. */
  UNCHANGED,
  /** Somebody else has stored something. */
  FOREIGN;

  /**
   * Compares what the store has with what is known.
   *
   * @param found what the store has
   * @param before what is known to be stored
   * @param after what it is with the event that was being stored; null if there was none
   */
  static Recovered of(Message found, Message before, Message after) {
    if (found.equals(after)) {
      return STORED;
    }
    if (!found.equals(before)) {
      return FOREIGN;
    }
    return after == null ? UNCHANGED : NOT_STORED;
  }
}
