package dev.troupe.actors.cluster;

import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Placing;
import java.time.Duration;

/**
 * What a node of a cluster is told of itself, beside its name: that is in its member's role {@code
 * node-NAME}.
 *
 * @param capacity what it offers to machines
 * @param policy how nodes are chosen for the machines whose entities are here
 * @param lease how long it may run machines after most of the cluster has answered it
 * @param renew how often it asks them
 * @param alone no other process can have run its machines: it owns its store, so none is waited for
 * @param consoleRing bytes of each console's output that are kept
 * @param command how long a command may take until its caller is told that nobody answers
 */
public record NodeSettings(
    Capacity capacity,
    Placing.Policy policy,
    Duration lease,
    Duration renew,
    boolean alone,
    int consoleRing,
    Duration command) {
  /**
   * How long after its removal a node is taken to hold a lease still: words about the removal are
   * on their way for less than a second.
   */
  Duration grace() {
    return alone ? Duration.ZERO : lease.plusSeconds(1);
  }
}
