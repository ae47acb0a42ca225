package dev.troupe.actors.cluster;

import dev.troupe.actors.cluster.logic.Surroundings;
import dev.troupe.proto.cluster.HostId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The hosts of the cluster as this node sees them, kept up by {@link NodeActor} and read by this
 * node's entities.
 */
final class HostRefs implements Surroundings.Hosts {
  /**
   * What was last known.
   *
   * @param refs hosts that can be spoken to, by name of node
   * @param members all members by address, also those that cannot be reached just now
   */
  record View(Map<HostId, ActorRef<HostActor.Command>> refs, List<HostId> members) {}

  /** Removed nodes that are remembered: the oldest have been gone for long. */
  private static final int REMEMBERED = 1000;

  private final long graceNanos;
  private final Lease lease;
  private volatile View view = new View(Map.of(), List.of());

  /**
   * Guarded by this: since when hosts are known to be no members. One that this node has never seen
   * may be newer than what it has heard, so it counts from the first question on.
   */
  private final Map<HostId, Long> removedAt =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<HostId, Long> eldest) {
          return size() > REMEMBERED;
        }
      };

  /** Guarded by this. */
  private boolean joined;

  /**
   * No hosts yet.
   *
   * @param graceNanos how long after its removal a node may still hold a lease
   * @param lease this node's: without it, what it knows of the others may be of long ago
   */
  HostRefs(long graceNanos, Lease lease) {
    this.graceNanos = graceNanos;
    this.lease = lease;
  }

  /**
   * What is known now.
   *
   * @param up this node is a member in full
   */
  synchronized void update(View now, boolean up) {
    long nanos = System.nanoTime();
    for (HostId member : view.members()) {
      if (!now.members().contains(member)) {
        removedAt.put(member, nanos);
      }
    }
    now.members().forEach(removedAt::remove);
    view = now;
    joined |= up;
  }

  Optional<ActorRef<HostActor.Command>> ref(HostId host) {
    return Optional.ofNullable(view.refs().get(host));
  }

  /** Everybody who can be spoken to, by name of node. */
  Map<HostId, ActorRef<HostActor.Command>> refs() {
    return view.refs();
  }

  /** All members, by address. */
  List<HostId> members() {
    return view.members();
  }

  @Override
  public List<HostId> present() {
    return List.copyOf(view.refs().keySet());
  }

  @Override
  public synchronized boolean gone(HostId host) {
    if (!joined || view.members().contains(host)) {
      return false;
    }
    long nanos = System.nanoTime();
    long since = removedAt.computeIfAbsent(host, unseen -> nanos);
    return nanos - since >= graceNanos && lease.held();
  }
}
