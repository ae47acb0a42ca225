package dev.troupe.actors.fault;

import dev.troupe.actors.journal.RecordEdit;
import java.util.Optional;

/** What a rule does to what it matches. */
public sealed interface FaultAction {
  /** Nobody gets it. */
  record Drop() implements FaultAction {}

  /**
   * It comes later.
   *
   * @param nanos of virtual time
   */
  record Delay(long nanos) implements FaultAction {}

  /** It comes again, so many times. */
  record Duplicate(int times) implements FaultAction {}

  /**
   * It comes after messages to the same receiver that were sent behind it.
   *
   * @param past how many
   * @param nanos virtual time that it waits for them at most
   */
  record Reorder(int past, long nanos) implements FaultAction {}

  /**
   * A field of its payload is another.
   *
   * @param value empty for one flipped bit, drawn from the rule's seed
   */
  record Corrupt(String field, Optional<RecordEdit> value) implements FaultAction {}

  /** The vCPU that waits gets this for an answer. */
  record Answer(long value) implements FaultAction {}
}
