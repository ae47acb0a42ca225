package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.HostId;
import java.util.List;

/**
 * What a state machine may know beside its messages, at the moment of one.
 *
 * @param nanos monotonic time of this process
 * @param millis wall clock, for people: since 1970
 * @param hosts the cluster's hosts, as this node sees them
 */
public record Surroundings(long nanos, long millis, Hosts hosts) {
  /** The cluster's hosts, as one node sees them. */
  public interface Hosts {
    /** Hosts that can be spoken to, by name. */
    List<HostId> present();

    /**
     * The host's process is no member of the cluster any more, for so long that whatever ran there
     * has lost its node's lease: nothing of it is heard of again.
     */
    boolean gone(HostId host);
  }
}
