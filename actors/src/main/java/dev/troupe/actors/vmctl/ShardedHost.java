package dev.troupe.actors.vmctl;

import dev.troupe.actors.cluster.HostActor;
import dev.troupe.actors.cluster.Node;
import dev.troupe.actors.cluster.VmEntity;
import dev.troupe.actors.cluster.VmStatus;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.config.Configuration;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.slf4j.LoggerFactory;

/** A machine behind its sharded entity, in a cluster of one node on the loopback address. */
final class ShardedHost implements MachineHost {
  private sealed interface Command {}

  private record Stop() implements Command {}

  private record Again() implements Command {}

  private record Status(VmStatus status) implements Command {}

  /**
   * How often the entity is told until it says that the machine has started; messages to it may be
   * lost.
   */
  private static final Duration RETRY = Duration.ofSeconds(2);

  private final ActorSystem<Command> system;

  private ShardedHost(ActorSystem<Command> system) {
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
          public ConsoleEnd console(VmSpec started) {
            return console;
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
        ActorSystem.create(guardian(spec, backends), "troupe", configuration.config()));
  }

  private static Behavior<Command> guardian(VmSpec spec, HostActor.Backends backends) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  Node.start(context, backends, true);
                  EntityRef<VmEntity.Command> entity =
                      ClusterSharding.get(context.getSystem())
                          .entityRefFor(VmEntity.KEY, spec.getName());
                  ActorRef<VmStatus> answers = context.messageAdapter(VmStatus.class, Status::new);
                  VmEntity.Ensure ensure = new VmEntity.Ensure(spec, answers);
                  entity.tell(ensure);
                  timers.startTimerWithFixedDelay(new Again(), RETRY);
                  return Behaviors.receive(Command.class)
                      .onMessage(
                          Again.class,
                          again -> {
                            entity.tell(ensure);
                            return Behaviors.same();
                          })
                      .onMessage(
                          Status.class,
                          answer -> {
                            if (answer.status().state() == VmState.VM_STATE_RUNNING) {
                              timers.cancelAll();
                            }
                            return Behaviors.same();
                          })
                      .onMessage(
                          Stop.class,
                          stop -> {
                            timers.cancelAll();
                            entity.tell(new VmEntity.Operate(HostActor.Operation.STOP));
                            return Behaviors.same();
                          })
                      .build();
                }));
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
