package dev.troupe.actors.cluster;

import dev.troupe.proto.cluster.HostId;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;

/** What a node of a cluster is made of: entities, a host, and its ties to the other nodes. */
public final class ClusterNode {
  /** Images are read by so many threads at once: more do not make a disk faster. */
  private static final int PREPARING_THREADS = 2;

  private final ActorContext<?> context;
  private final NodeSettings settings;
  private final EventFeed feed = new EventFeed();
  private final ExecutorService preparing;
  private final ActorRef<HostActor.Command> host;
  private final HostId self;
  private final ClusterParts parts;

  private ClusterNode(
      ActorContext<?> context, NodeSettings settings, Lease lease, HostActor.Backends backends) {
    this.context = context;
    this.settings = settings;
    ActorSystem<?> system = context.getSystem();
    Cluster cluster = Cluster.get(system);
    self = NodeActor.id(cluster.selfMember());
    ClusterSharding sharding = ClusterSharding.get(system);
    HostRefs hosts = new HostRefs(settings.grace().toNanos());
    sharding.init(Entity.of(RegistryEntity.KEY, entity -> RegistryEntity.create(hosts)));
    EntityRef<RegistryEntity.Command> registry =
        sharding.entityRefFor(RegistryEntity.KEY, RegistryEntity.ID);
    parts = new ClusterParts(hosts, registry, settings.policy());
    sharding.init(Entity.of(VmEntity.KEY, entity -> VmEntity.create(entity.getEntityId(), parts)));
    preparing =
        Executors.newFixedThreadPool(
            PREPARING_THREADS, Thread.ofPlatform().daemon().name("troupe-prepare-", 0).factory());
    host =
        context.spawn(HostActor.create(self, settings, lease, feed, backends, preparing), "host");
    context.spawn(NodeActor.create(self, lease, settings, host, parts), "node");
  }

  /**
   * Starts a node's parts; to be called while its guardian is set up, before the node has joined.
   *
   * @param lease kept up from now on
   */
  public static ClusterNode start(
      ActorContext<?> context, NodeSettings settings, Lease lease, HostActor.Backends backends) {
    return new ClusterNode(context, settings, lease, backends);
  }

  /** Forms a cluster of one, at once. */
  public void joinSelf() {
    Cluster cluster = Cluster.get(context.getSystem());
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
  }

  /** What the node's door asks. */
  public ClusterControl control() {
    return new ClusterControl(context.getSystem(), self, parts, feed, settings.command());
  }

  /** The node's host. */
  public ActorRef<HostActor.Command> host() {
    return host;
  }

  /**
   * Ends the node's machines: asks their guests, and after a while does not ask any more. Entities
   * and membership are the actor system's to hand over.
   *
   * @param patience how long guests may take
   * @param force how long ending them may take
   */
  public CompletionStage<Void> leave(ActorSystem<?> system, Duration patience, Duration force) {
    return ask(system, false, patience)
        .exceptionallyCompose(late -> ask(system, true, force))
        .handle(
            (left, failure) -> {
              preparing.shutdown();
              return null;
            });
  }

  private CompletionStage<HostActor.Left> ask(
      ActorSystem<?> system, boolean force, Duration patience) {
    return AskPattern.ask(
        host,
        (ActorRef<HostActor.Left> replyTo) -> new HostActor.Leave(force, replyTo),
        patience,
        system.scheduler());
  }
}
