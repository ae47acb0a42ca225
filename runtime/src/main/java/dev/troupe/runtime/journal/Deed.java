package dev.troupe.runtime.journal;

/** What a fault rule did to what it matched. */
public sealed interface Deed {
  /** It did not come through. A vCPU that waited got what an address without a device gives. */
  record Dropped() implements Deed {}

  /**
   * It comes through later.
   *
   * @param until virtual nanoseconds
   */
  record Delayed(long until) implements Deed {}

  /**
   * It came through, and comes again at once.
   *
   * @param times how often again
   */
  record Duplicated(int times) implements Deed {}

  /**
   * It comes through behind messages that were sent after it.
   *
   * @param past how many messages to its receiver it lets pass
   * @param until virtual time at which it has waited long enough, nanoseconds
   */
  record Reordered(int past, long until) implements Deed {}

  /** Something else came through. */
  record Corrupted(JournalRecord.Crossing instead) implements Deed {}

  /** The vCPU got this for an answer, and the device nothing. */
  record Answered(long value) implements Deed {}

  /** What was held back, or is there a second time, has come through; told of interrupts only. */
  record Released() implements Deed {}

  /** Whether two say the same, bytes included. */
  static boolean same(Deed one, Deed other) {
    return (one instanceof Corrupted(JournalRecord.Crossing a)
            && other instanceof Corrupted(JournalRecord.Crossing b))
        ? JournalRecord.same(a, b)
        : one.equals(other);
  }
}
