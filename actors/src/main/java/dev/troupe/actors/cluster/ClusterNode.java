package dev.troupe.actors.cluster;

import dev.troupe.actors.cluster.logic.Departure;
import dev.troupe.actors.vmd.Control;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.vmd.NodeInfo;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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

  /** How often a node that is about to go looks whether others take its machines. */
  private static final Duration WATCH = Duration.ofMillis(500);

  private static final Control.Caller NODE = new Control.Caller(0, "the node", true);

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
    HostRefs hosts = new HostRefs(settings.grace().toNanos(), lease);
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
   * The node's machines leave it: to other nodes, if there are any that take machines; what is left
   * after half of the time is asked to switch off, and after three quarters is ended. Entities and
   * membership are the actor system's to hand over.
   *
   * @param limit of all
   * @return completed when no machine runs here, or that time is over
   */
  public CompletionStage<Void> leave(ActorSystem<?> system, Duration limit) {
    long begun = System.nanoTime();
    return move(system, limit.dividedBy(2))
        .thenCompose(
            moved ->
                moved
                    ? CompletableFuture.completedStage(true)
                    : ask(system, Departure.ASK, begun + limit.toNanos() / 4 * 3))
        .thenCompose(
            left ->
                left
                    ? CompletableFuture.completedStage(true)
                    : ask(system, Departure.END, begun + limit.toNanos()))
        .thenAccept(left -> preparing.shutdown());
  }

  /** Sends the machines away, as long as there is a node that takes any. */
  private CompletionStage<Boolean> move(ActorSystem<?> system, Duration patience) {
    if (parts.hosts().members().stream().allMatch(self::equals)) {
      return CompletableFuture.completedStage(false);
    }
    CompletableFuture<Boolean> moved = new CompletableFuture<>();
    ask(system, Departure.MOVE, System.nanoTime() + patience.toNanos()).thenAccept(moved::complete);
    watchOthers(control(), moved);
    return moved;
  }

  private static void watchOthers(Control control, CompletableFuture<Boolean> moved) {
    if (moved.isDone()) {
      return;
    }
    control
        .nodes(NODE)
        .whenComplete(
            (nodes, failure) -> {
              if (failure == null
                  && nodes.stream()
                      .noneMatch(
                          node -> !node.getSelf() && node.getState() == NodeInfo.State.STATE_UP)) {
                moved.complete(false);
              } else {
                CompletableFuture.delayedExecutor(WATCH.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> watchOthers(control, moved));
              }
            });
  }

  /** Whether no machine is left before that time. */
  private CompletionStage<Boolean> ask(ActorSystem<?> system, Departure how, long end) {
    return AskPattern.ask(
            host,
            (ActorRef<HostActor.Left> replyTo) -> new HostActor.Leave(how, replyTo),
            Duration.ofNanos(Math.max(1, end - System.nanoTime())),
            system.scheduler())
        .handle((left, failure) -> failure == null);
  }
}
