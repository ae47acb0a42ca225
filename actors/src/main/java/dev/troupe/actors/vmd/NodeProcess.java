package dev.troupe.actors.vmd;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreException;
import dev.troupe.config.NodeConfiguration;
import dev.troupe.config.Seeds;
import java.io.PrintStream;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.remote.RemoteTransportException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of a node's process, from its store to its end: store, actor system, services, cluster,
 * door; and back. What happens to it from outside it learns from {@link StopSignals} and from its
 * actor system's end.
 */
public final class NodeProcess {
  /** All actor systems of a cluster have one name. */
  public static final String SYSTEM = "troupe";

  private static final Logger LOG = LoggerFactory.getLogger(NodeProcess.class);

  /** How often a name of seeds that has no address yet is asked for again. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** So long the cluster and the store may take beyond the limit that the machines have. */
  private static final Duration LEAVE = Duration.ofSeconds(20);

  private final NodeConfiguration configuration;
  private final NodeServices.Factory factory;
  private final StopSignals signals;
  private final CompletableFuture<Void> up = new CompletableFuture<>();
  private NodeServices services;

  private NodeProcess(
      NodeConfiguration configuration, NodeServices.Factory factory, StopSignals signals) {
    this.configuration = configuration;
    this.factory = factory;
    this.signals = signals;
  }

  /**
   * Runs a node until it is asked to stop.
   *
   * @param ready where the one line goes that says that it serves
   * @return how the process is to end
   * @throws VmdException if it cannot start, or the cluster has no place for it
   */
  public static int run(
      NodeConfiguration configuration,
      NodeServices.Factory factory,
      StopSignals signals,
      PrintStream ready)
      throws VmdException, InterruptedException {
    Thread starting = Thread.currentThread();
    CompletableFuture<Void> started = new CompletableFuture<>();
    signals
        .requested()
        .thenAccept(
            reason -> {
              if (!started.isDone()) {
                starting.interrupt(); // it may wait for a store that does not come
              }
            });
    try (Store store = Store.open(configuration.store())) {
      started.complete(null);
      return new NodeProcess(configuration, factory, signals).run(store, ready);
    } catch (StoreException e) {
      if (signals.requested().toCompletableFuture().isDone()) {
        return VmdExit.OK;
      }
      throw new VmdException(VmdExit.UNAVAILABLE, e.getMessage());
    }
  }

  private int run(Store store, PrintStream ready) throws VmdException, InterruptedException {
    ActorSystem<Void> system = start(store);
    CompletableFuture<?> ended = system.getWhenTerminated().toCompletableFuture();
    CompletableFuture<String> stop = signals.requested().toCompletableFuture();
    AutoCloseable door = () -> {};
    try {
      join(system);
      await(CompletableFuture.anyOf(up, ended, stop));
      if (up.isDone() && !ended.isDone() && !stop.isDone()) {
        door = services.open(configuration);
        Address self = Cluster.get(system).selfMember().address();
        LOG.info(
            "node {} serves at {}:{}, store {} ({})",
            configuration.name(),
            self.getHost().get(),
            self.getPort().get(),
            store.place(),
            store.id());
        ready.println(
            "vmd: node "
                + configuration.name()
                + " serves at "
                + self.getHost().get()
                + ":"
                + self.getPort().get()
                + ", socket "
                + configuration.socket());
        ready.flush();
        await(CompletableFuture.anyOf(ended, stop));
      }
    } finally {
      if (stop.isDone()) {
        LOG.info("node {} stops: {}", configuration.name(), stop.join());
      }
      Thread limit = limit();
      close(door);
      stop(system, ended);
      limit.interrupt();
    }
    return stop.isDone() ? VmdExit.OK : removed(system);
  }

  private ActorSystem<Void> start(Store store) throws VmdException {
    Seeds.Address address = configuration.address();
    Config config =
        ConfigFactory.parseMap(
                Map.of(
                    "pekko.remote.artery.canonical.hostname",
                    address.host(),
                    "pekko.remote.artery.canonical.port",
                    address.port(),
                    "pekko.cluster.roles",
                    List.of("node-" + configuration.name()),
                    SameStore.ID,
                    store.id().toString()))
            .withFallback(configuration.config());
    Behavior<Void> guardian =
        Behaviors.setup(
            context -> {
              Cluster.get(context.getSystem());
              services = factory.start(context, configuration, store);
              org.apache.pekko.cluster.Cluster.get(context.getSystem())
                  .registerOnMemberUp(() -> up.complete(null));
              return Behaviors.empty();
            });
    try {
      return ActorSystem.create(
          guardian, SYSTEM, ActorSystemSetup.create(BootstrapSetup.create(config), store.setup()));
    } catch (RemoteTransportException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new VmdException(
          VmdExit.UNAVAILABLE,
          "address "
              + address
              + " cannot be used: "
              + cause.getMessage().lines().findFirst().get());
    }
  }

  private void join(ActorSystem<Void> system) throws InterruptedException {
    Cluster cluster = Cluster.get(system);
    List<Seeds.Address> seeds = null;
    boolean said = false;
    while (seeds == null) {
      try {
        seeds = configuration.seeds().resolve();
      } catch (UnknownHostException e) {
        if (!said) {
          said = true;
          LOG.warn("waiting for seed nodes: {}", e.getMessage());
        }
        if (await(signals.requested().toCompletableFuture(), RETRY)) {
          return;
        }
      }
    }
    if (seeds.isEmpty()) {
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
    } else {
      LOG.info("joining the cluster of {}", seeds);
      cluster
          .manager()
          .tell(
              new JoinSeedNodes(
                  seeds.stream()
                      .map(seed -> new Address("pekko", SYSTEM, seed.host(), seed.port()))
                      .toList()));
    }
  }

  /** An end that nobody asked for: the cluster's, or of what the node is made of. */
  private int removed(ActorSystem<Void> system) throws VmdException {
    String reason =
        CoordinatedShutdown.get(Adapter.toClassic(system))
            .getShutdownReason()
            .map(Object::toString)
            .orElse("its actor system has ended");
    if (reason.contains("IncompatibleConfiguration")) {
      throw new VmdException(
          VmdExit.UNAVAILABLE,
          "the cluster refuses this node: its store or its version is not the cluster's; the"
              + " warnings above, or in the log of the node that was asked, say which");
    }
    if (reason.contains("ClusterDowning") || up.isDone()) {
      throw new VmdException(
          VmdExit.REMOVED,
          "the cluster goes on without this node, which was frozen or cut off; its machines run"
              + " elsewhere ("
              + reason
              + ")");
    }
    throw new VmdException(VmdExit.UNAVAILABLE, "joined no cluster: " + reason);
  }

  /** Ends the process if its parts do not. */
  private Thread limit() {
    Duration limit = configuration.stopLimit().plus(LEAVE);
    return Thread.ofPlatform()
        .daemon()
        .name("troupe-stop-limit")
        .start(
            () -> {
              try {
                Thread.sleep(limit);
              } catch (InterruptedException e) {
                return; // stopped
              }
              LOG.error("not stopped within {} s: ended", limit.toSeconds());
              Runtime.getRuntime().halt(VmdExit.LIMIT);
            });
  }

  private static void close(AutoCloseable door) {
    try {
      door.close();
    } catch (Exception e) {
      LOG.warn("the door did not close: {}", e.toString());
    }
  }

  private void stop(ActorSystem<Void> system, CompletableFuture<?> ended)
      throws InterruptedException {
    if (!ended.isDone() && services != null) {
      Duration limit = configuration.stopLimit();
      if (!await(services.stop(limit).toCompletableFuture(), limit)) {
        LOG.warn("machines not stopped within {} s", limit.toSeconds());
      }
    }
    // Hands the entities over and tells the others, so that they need not find out.
    CoordinatedShutdown.get(Adapter.toClassic(system)).runAll(CoordinatedShutdown.unknownReason());
    await(ended);
  }

  private static void await(CompletableFuture<?> future) throws InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      LOG.error("failed", e.getCause());
    }
  }

  /** Whether it was done in time. */
  private static boolean await(CompletableFuture<?> future, Duration limit)
      throws InterruptedException {
    try {
      future.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      LOG.error("failed", e.getCause());
    } catch (TimeoutException e) {
      return false;
    }
    return true;
  }
}
