package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.HostId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A node's right to run machines: for so long after a moment as most of the cluster has answered a
 * message sent at that moment. Who has been removed from the cluster is answered by nobody that
 * stayed; so a while after a removal the removed node's lease is over, even if its process slept
 * meanwhile and knows of nothing.
 *
 * <p>Most is more than half of the members, or half of them with the one of the lowest address
 * among them: the same as Pekko's split brain resolver keeps.
 */
public final class NodeLease {
  private final HostId self;
  private final long lengthNanos;
  private final Map<HostId, Long> answered = new HashMap<>();
  private List<HostId> members = List.of();

  /**
   * A lease that is not held.
   *
   * @param lengthNanos how long an answer is good for, from when it was asked for
   */
  public NodeLease(HostId self, long lengthNanos) {
    this.self = self;
    this.lengthNanos = lengthNanos;
  }

  /**
   * The cluster's members from now on, ordered by address, this node among them or not; also those
   * that join or leave. Others may take one for a full member already, or still, and remove this
   * node with its vote; they cannot before this node has heard that it joins.
   */
  public void members(List<HostId> now) {
    members = List.copyOf(now);
    answered.keySet().retainAll(members);
  }

  /**
   * A member has answered.
   *
   * @param sent when it was asked, by this node's clock
   */
  public void answered(HostId from, long sent) {
    if (members.contains(from)) {
      answered.merge(from, sent, (a, b) -> a - b > 0 ? a : b);
    }
  }

  /**
   * Until when the lease is held.
   *
   * @param nanos now: this node answers itself
   */
  public long until(long nanos) {
    if (!members.contains(self)) {
      return nanos - 1;
    }
    answered.put(self, nanos);
    List<Map.Entry<HostId, Long>> latest = new ArrayList<>(answered.entrySet());
    latest.sort(Comparator.comparingLong((Map.Entry<HostId, Long> e) -> nanos - e.getValue()));
    HostId lowest = members.getFirst();
    boolean withLowest = false;
    for (int i = 0; i < latest.size(); i++) {
      int votes = i + 1;
      withLowest |= latest.get(i).getKey().equals(lowest);
      if (2 * votes > members.size() || (2 * votes == members.size() && withLowest)) {
        return latest.get(i).getValue() + lengthNanos;
      }
    }
    return nanos - 1;
  }
}
