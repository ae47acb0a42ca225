package dev.troupe.actors.cluster;

import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;

/** What a node of a cluster is made of: the entities' region and a host. */
public final class Node {
  private Node() {}

  /**
   * Starts a node's parts; to be called while its guardian is set up.
   *
   * @param alone true forms a cluster of one, at once
   * @return the node's host
   */
  public static ActorRef<HostActor.Command> start(
      ActorContext<?> context, HostActor.Backends backends, boolean alone) {
    ClusterSharding sharding = ClusterSharding.get(context.getSystem());
    VmEntity.init(sharding);
    if (alone) {
      Cluster cluster = Cluster.get(context.getSystem());
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
    }
    Behavior<HostActor.Command> host =
        HostActor.create(
            backends, (name, report) -> sharding.entityRefFor(VmEntity.KEY, name).tell(report));
    return context.spawn(host, "host");
  }

  /** An empty guardian around a node. */
  public static Behavior<Void> guardian(HostActor.Backends backends, boolean alone) {
    return Behaviors.setup(
        context -> {
          start(context, backends, alone);
          return Behaviors.empty();
        });
  }
}
