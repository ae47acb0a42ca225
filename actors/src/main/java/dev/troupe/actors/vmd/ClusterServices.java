package dev.troupe.actors.vmd;

import dev.troupe.actors.cluster.ClusterNode;
import dev.troupe.actors.cluster.HostActor;
import dev.troupe.actors.cluster.Lease;
import dev.troupe.actors.cluster.NodeSettings;
import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Placing;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.vmd.door.Door;
import dev.troupe.actors.vmd.door.DoorException;
import dev.troupe.actors.vmd.door.DoorLimits;
import dev.troupe.actors.vmd.door.LogRing;
import dev.troupe.config.NodeConfiguration;
import dev.troupe.config.StoreConfiguration;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** A node's part in the cluster, and the door to it. */
final class ClusterServices implements NodeServices {
  /** Commands under way have so much of the time to stop, and no more than {@link #DOOR}. */
  private static final int DOOR_SHARE = 10;

  /** Consoles, and those who wait for a machine, do not end by themselves. */
  private static final Duration DOOR = Duration.ofSeconds(2);

  private final ActorSystem<?> system;
  private final ClusterNode node;
  private final LogRing log;

  private ClusterServices(ActorSystem<?> system, ClusterNode node, LogRing log) {
    this.system = system;
    this.node = node;
    this.log = log;
  }

  /** Starts them; see {@link NodeServices.Factory}. */
  static NodeServices start(ActorContext<?> context, NodeConfiguration configuration, Store store) {
    ClusterNode node =
        ClusterNode.start(
            context, settings(configuration), new Lease(), new HostActor.Backends() {});
    return new ClusterServices(context.getSystem(), node, LogRing.install());
  }

  private static Capacity capacity(NodeConfiguration configuration) {
    NodeConfiguration.Offer offer = configuration.offer();
    return new Capacity(
        offer.memory(),
        offer.vcpus(),
        offer.engines().stream()
            .map(engine -> engine.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet()),
        configuration.labels());
  }

  private static NodeSettings settings(NodeConfiguration configuration) {
    return new NodeSettings(
        capacity(configuration),
        switch (configuration.policy()) {
          case SPREAD -> Placing.Policy.SPREAD;
          case PACK -> Placing.Policy.PACK;
        },
        configuration.lease().length(),
        configuration.lease().renew(),
        // Its file is this process's alone: whoever had it before is gone.
        configuration.store().place() instanceof StoreConfiguration.Embedded,
        configuration.consoleRing(),
        configuration.commandTimeout());
  }

  @Override
  public AutoCloseable open(NodeConfiguration configuration) throws VmdException {
    try {
      Door door =
          Door.open(
              configuration.socket(),
              configuration.socketGroup(),
              node.control(),
              log,
              DoorLimits.DEFAULT);
      Duration share = configuration.stopLimit().dividedBy(DOOR_SHARE);
      return () -> door.close(share.compareTo(DOOR) < 0 ? share : DOOR);
    } catch (DoorException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, e.getMessage());
    }
  }

  @Override
  public void reload(NodeConfiguration configuration) {
    node.host().tell(new HostActor.Offering(capacity(configuration)));
  }

  @Override
  public CompletionStage<Void> stop(Duration limit) {
    return node.leave(system, limit);
  }
}
