package dev.troupe.actors.vmctl;

import dev.troupe.actors.cluster.ClusterNode;
import dev.troupe.actors.cluster.HostActor;
import dev.troupe.actors.cluster.Lease;
import dev.troupe.actors.cluster.NodeSettings;
import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Placing;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.vmd.Control;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.runtime.boot.BadImageException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.LoggerFactory;

/** A machine behind its sharded entity, in a cluster of one node on the loopback address. */
final class ShardedHost implements MachineHost {
  /** One machine has its node for itself. */
  private static final NodeSettings SETTINGS =
      new NodeSettings(
          new Capacity(
              Long.MAX_VALUE, Integer.MAX_VALUE, Set.of("interpreter", "translator"), Map.of()),
          Placing.Policy.SPREAD,
          Duration.ofSeconds(10),
          Duration.ofSeconds(1),
          true,
          1 << 20,
          Duration.ofMinutes(1));

  private static final Control.Caller CALLER = new Control.Caller(0, "root", true);

  private sealed interface Message {}

  private record Stop() implements Message {}

  private final ActorSystem<Message> system;

  private ShardedHost(ActorSystem<Message> system) {
    this.system = system;
  }

  /** Starts a machine; {@code ended} is completed when it has ended. */
  static ShardedHost start(
      VmSpec spec, ConsoleEnd console, CompletableFuture<MachineActor.Ended> ended) {
    LoggerFactory.getILoggerFactory();
    Configuration configuration = Configuration.load(Configuration.Role.NODE);
    HostActor.Backends backends =
        new HostActor.Backends() {
          @Override
          public Optional<ConsoleEnd> console(VmSpec started) {
            return Optional.of(console);
          }

          @Override
          public void ended(String name, MachineActor.Ended end) {
            ended.complete(end);
          }

          @Override
          public void refused(String name, String reason) {
            ended.completeExceptionally(new BadImageException(reason));
          }
        };
    return new ShardedHost(
        ActorSystem.create(guardian(spec, backends, ended), "troupe", configuration.config()));
  }

  private static Behavior<Message> guardian(
      VmSpec spec, HostActor.Backends backends, CompletableFuture<MachineActor.Ended> ended) {
    return Behaviors.setup(
        context -> {
          ClusterNode node = ClusterNode.start(context, SETTINGS, new Lease(), backends);
          node.joinSelf();
          node.control()
              .submit(
                  CALLER,
                  Command.newBuilder()
                      .setId("start")
                      .setStart(StartVm.newBuilder().setVm(spec.getName()).setSpec(spec))
                      .build())
              .whenComplete((result, failure) -> started(result, failure, ended));
          return Behaviors.receive(Message.class)
              .onMessage(
                  Stop.class,
                  stop -> {
                    node.control()
                        .submit(
                            CALLER,
                            Command.newBuilder()
                                .setId("stop")
                                .setStop(StopVm.newBuilder().setVm(spec.getName()).setForce(true))
                                .build());
                    return Behaviors.same();
                  })
              .build();
        });
  }

  /** A machine that could not be made has been told of by its host; here is what else can fail. */
  private static void started(
      CommandResult result, Throwable failure, CompletableFuture<MachineActor.Ended> ended) {
    if (failure != null) {
      ended.completeExceptionally(failure);
    } else if (result.getKind() == CommandResult.Kind.KIND_WAITS) {
      ended.completeExceptionally(new BadImageException(result.getText()));
    }
  }

  @Override
  public void stop() {
    system.tell(new Stop());
  }

  @Override
  public void close() {
    system.terminate();
  }
}
