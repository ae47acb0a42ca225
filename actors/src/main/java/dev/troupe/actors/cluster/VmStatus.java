package dev.troupe.actors.cluster;

import dev.troupe.proto.control.VmState;
import dev.troupe.runtime.machine.Outcome;
import java.util.Optional;

/**
 * How a machine is, as its entity knows.
 *
 * @param epoch counts the machine's starts, from 1; 0 before the first
 * @param host address of the node that runs it, or empty
 * @param outcome how it ended, if it has
 */
public record VmStatus(
    String name, long epoch, String host, VmState state, Optional<Ending> outcome) implements Wire {
  /** How a machine ended, or why it could not start. */
  public sealed interface Ending {}

  /** The machine ran and ended. */
  public record Ran(Outcome outcome) implements Ending {}

  /** The host could not make the machine, for this reason. */
  public record Refused(String reason) implements Ending {}
}
