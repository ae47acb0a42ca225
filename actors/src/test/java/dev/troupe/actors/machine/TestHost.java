package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.VmSpec;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
      CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
      ActorRef<MachineActor.Event> listener =
          spawn(
              Behaviors.receiveMessage(
                  event -> {
                    if (event instanceof MachineActor.Ended end) {
                      ended.complete(end);
                    }
                    return Behaviors.same();
                  }));
      ActorRef<MachineActor.Command> machine =
          spawn(MachineActor.create(MachineParts.prepare(spec), console, doors, listener));
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
}
