package dev.troupe.actors.cluster.logic;

/** How far a node that is about to go has come; in this order. */
public enum Departure {
  /** Its machines go where there is room for them; those that find none run on. */
  MOVE,
  /**
   * Those that are left are asked to switch off. They go on elsewhere, or when the node is back.
   */
  ASK,
  /** Those that have not are ended. */
  END
}
