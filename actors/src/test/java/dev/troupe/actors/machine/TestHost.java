package dev.troupe.actors.machine;

import dev.troupe.actors.cluster.HostActor;
import dev.troupe.actors.cluster.Node;
import dev.troupe.actors.cluster.VmEntity;
import dev.troupe.actors.cluster.VmStatus;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;

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
    private final Map<String, TestConsole> consoles = new ConcurrentHashMap<>();
    private final Map<String, Doors> doors = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<MachineActor.Ended>> ends =
        new ConcurrentHashMap<>();
    private final ActorSystem<Void> system =
        ActorSystem.create(
            Node.guardian(this, true),
            "machine-test",
            Configuration.load(Configuration.Role.NODE).config());

    @Override
    public ConsoleEnd console(VmSpec spec) {
      return consoles.get(spec.getName());
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
      VmEntity.init(ClusterSharding.get(system)); // the guardian may not have come so far
      EntityRef<VmEntity.Command> entity =
          ClusterSharding.get(system).entityRefFor(VmEntity.KEY, name);
      ShardedHandle handle = new ShardedHandle(entity, ends.get(name));
      handle.await(
          status ->
              status.state() == VmState.VM_STATE_RUNNING
                  || status.state() == VmState.VM_STATE_ENDED,
          reply -> new VmEntity.Ensure(spec, reply));
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
      EntityRef<VmEntity.Command> entity, CompletableFuture<MachineActor.Ended> end)
      implements Handle {
    private static final Duration ANSWER = Duration.ofSeconds(2);

    void await(Predicate<VmStatus> reached, Function<ActorRef<VmStatus>, VmEntity.Command> question)
        throws Exception {
      long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
      String last = "no answer";
      while (System.nanoTime() < limit) {
        try {
          VmStatus status =
              entity.<VmStatus>ask(question::apply, ANSWER).toCompletableFuture().get();
          if (reached.test(status)) {
            return;
          }
          last = status.toString();
        } catch (ExecutionException e) {
          last = e.getCause().toString();
        }
        Thread.sleep(20);
        question = VmEntity.Query::new;
      }
      throw new AssertionError("gave up waiting: " + last);
    }

    @Override
    public void resume() {
      entity.tell(new VmEntity.Operate(HostActor.Operation.RESUME));
    }

    @Override
    public void pause() throws Exception {
      entity.tell(new VmEntity.Operate(HostActor.Operation.PAUSE));
      await(status -> status.state() == VmState.VM_STATE_PAUSED, VmEntity.Query::new);
    }

    @Override
    public void stop() {
      entity.tell(new VmEntity.Operate(HostActor.Operation.STOP));
    }

    @Override
    public void pressPowerButton() {
      entity.tell(new VmEntity.Operate(HostActor.Operation.POWER_BUTTON));
    }

    @Override
    public MachineActor.Ended ended() throws Exception {
      return end.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
  }
}
