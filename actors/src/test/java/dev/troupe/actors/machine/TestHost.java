package dev.troupe.actors.machine;

import dev.troupe.actors.cluster.ClusterControl;
import dev.troupe.actors.cluster.ClusterNode;
import dev.troupe.actors.cluster.HostActor;
import dev.troupe.actors.cluster.Lease;
import dev.troupe.actors.cluster.NodeSettings;
import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Placing;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.actors.vmd.Control;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.PauseVm;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.proto.vmd.UnpauseVm;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Something that runs machines: what the machine's tests are run against, in a local actor system
 * or in a cluster.
 */
interface TestHost extends AutoCloseable {
  long WAIT_SECONDS = 30;

  /** A machine under test. */
  interface Handle {
    void resume();

    /** Returns when the machine stands. */
    void pause() throws Exception;

    void stop();

    void pressPowerButton();

    MachineActor.Ended ended() throws Exception;
  }

  Handle start(VmSpec spec, TestConsole console, Doors doors) throws Exception;

  @Override
  void close();

  /** Machines as children of a local actor system's guardian. */
  final class Local implements TestHost {
    private static final Duration ASK = Duration.ofSeconds(WAIT_SECONDS);

    private final ActorSystem<SpawnProtocol.Command> system =
        ActorSystem.create(
            SpawnProtocol.create(),
            "machine-test",
            Configuration.load(Configuration.Role.LOCAL).config());
    private final AtomicInteger names = new AtomicInteger();

    @Override
    public Handle start(VmSpec spec, TestConsole console, Doors doors) {
      return start(MachineParts.prepare(spec), console, doors, event -> {});
    }

    /** A machine of these parts; what it tells on its way goes to {@code notes}. */
    Handle start(
        MachineParts parts, TestConsole console, Doors doors, Consumer<MachineActor.Event> notes) {
      CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
      ActorRef<MachineActor.Event> listener =
          spawn(
              Behaviors.receiveMessage(
                  event -> {
                    if (event instanceof MachineActor.Ended end) {
                      ended.complete(end);
                    } else {
                      notes.accept(event);
                    }
                    return Behaviors.same();
                  }));
      ActorRef<MachineActor.Command> machine =
          spawn(MachineActor.create(parts, console, doors, listener));
      machine.tell(new MachineActor.Resume());
      return new LocalHandle(system, machine, ended);
    }

    private <T> ActorRef<T> spawn(Behavior<T> behavior) {
      String name = "m" + names.incrementAndGet();
      return AskPattern.<SpawnProtocol.Command, ActorRef<T>>ask(
              system,
              reply ->
                  new SpawnProtocol.Spawn<>(
                      behavior, name, DispatcherSelector.fromConfig(BoardDispatcher.ID), reply),
              ASK,
              system.scheduler())
          .toCompletableFuture()
          .join();
    }

    @Override
    public void close() {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  /** A machine whose actor the test talks to. */
  record LocalHandle(
      ActorSystem<?> system,
      ActorRef<MachineActor.Command> machine,
      CompletableFuture<MachineActor.Ended> end)
      implements Handle {
    @Override
    public void resume() {
      machine.tell(new MachineActor.Resume());
    }

    @Override
    public void pause() throws Exception {
      AskPattern.<MachineActor.Command, MachineActor.Event>ask(
              machine,
              MachineActor.Pause::new,
              Duration.ofSeconds(WAIT_SECONDS),
              system.scheduler())
          .toCompletableFuture()
          .get();
    }

    @Override
    public void stop() {
      machine.tell(new MachineActor.Stop());
    }

    @Override
    public void pressPowerButton() {
      machine.tell(new MachineActor.PressPowerButton());
    }

    @Override
    public MachineActor.Ended ended() throws Exception {
      return end.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Machines as children of a host actor, behind their entities, in a cluster of one node. */
  final class Sharded implements TestHost, HostActor.Backends {
    private static final Control.Caller CALLER = new Control.Caller(0, "root", true);
    private static final NodeSettings SETTINGS =
        new NodeSettings(
            new Capacity(1L << 40, 1000, Set.of("interpreter", "translator"), Map.of()),
            Placing.Policy.SPREAD,
            Duration.ofSeconds(WAIT_SECONDS),
            Duration.ofSeconds(1),
            true,
            1 << 20,
            Duration.ofSeconds(WAIT_SECONDS));

    private final Map<String, TestConsole> consoles = new ConcurrentHashMap<>();
    private final Map<String, Doors> doors = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<MachineActor.Ended>> ends =
        new ConcurrentHashMap<>();
    private final CompletableFuture<ClusterControl> control = new CompletableFuture<>();
    private final ActorSystem<Void> system =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  try {
                    ClusterNode node = ClusterNode.start(context, SETTINGS, new Lease(), this);
                    node.joinSelf();
                    control.complete(node.control());
                  } catch (RuntimeException e) {
                    control.completeExceptionally(e);
                  }
                  return Behaviors.empty();
                }),
            "machine-test",
            Configuration.load(Configuration.Role.NODE).config());

    @Override
    public Optional<ConsoleEnd> console(VmSpec spec) {
      return Optional.of(consoles.get(spec.getName()));
    }

    @Override
    public Doors doors(VmSpec spec) {
      return doors.get(spec.getName());
    }

    @Override
    public void ended(String name, MachineActor.Ended end) {
      ends.get(name).complete(end);
    }

    @Override
    public Handle start(VmSpec spec, TestConsole console, Doors allowed) throws Exception {
      String name = spec.getName();
      consoles.put(name, console);
      doors.put(name, allowed);
      ends.put(name, new CompletableFuture<>());
      ShardedHandle handle = new ShardedHandle(name, control.get(), ends.get(name));
      handle.submit(command -> command.setStart(StartVm.newBuilder().setVm(name).setSpec(spec)));
      return handle;
    }

    @Override
    public void close() {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  /** A machine whose entity the test talks to. */
  record ShardedHandle(
      String name, ClusterControl control, CompletableFuture<MachineActor.Ended> end)
      implements Handle {
    /** Does a command to its end. */
    void submit(UnaryOperator<Command.Builder> what) {
      Command command =
          what.apply(Command.newBuilder().setId(UUID.randomUUID().toString())).build();
      control
          .submit(Sharded.CALLER, command)
          .toCompletableFuture()
          .orTimeout(WAIT_SECONDS, TimeUnit.SECONDS)
          .join();
    }

    @Override
    public void resume() {
      submit(command -> command.setUnpause(UnpauseVm.newBuilder().setVm(name)));
    }

    @Override
    public void pause() throws Exception {
      submit(command -> command.setPause(PauseVm.newBuilder().setVm(name)));
    }

    @Override
    public void stop() {
      submit(command -> command.setStop(StopVm.newBuilder().setVm(name).setForce(true)));
    }

    @Override
    public void pressPowerButton() {
      submit(command -> command.setStop(StopVm.newBuilder().setVm(name)));
    }

    @Override
    public MachineActor.Ended ended() throws Exception {
      return end.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
  }
}
