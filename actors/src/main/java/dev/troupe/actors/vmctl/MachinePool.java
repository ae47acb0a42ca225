package dev.troupe.actors.vmctl;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.LoggerFactory;

/** Runs many machines without terminals, one after the other or at once, in one actor system. */
final class MachinePool implements AutoCloseable {
  /**
   * A machine to be run.
   *
   * @param enough ends it when completed
   * @param ended completed when it has
   */
  private record Start(
      MachineParts parts,
      CompletableFuture<?> enough,
      CompletableFuture<MachineActor.Ended> ended) {}

  private final ActorSystem<Start> system;

  MachinePool() {
    // Before the actor system's threads, or SLF4J complains about those that come while it starts.
    LoggerFactory.getILoggerFactory();
    Configuration configuration = Configuration.load(Configuration.Role.LOCAL);
    system = ActorSystem.create(guardian(), "troupe", configuration.config());
  }

  private static Behavior<Start> guardian() {
    return Behaviors.setup(
        context ->
            Behaviors.receiveMessage(
                start -> {
                  ActorRef<MachineActor.Event> listener =
                      context.spawnAnonymous(listener(start.ended));
                  ActorRef<MachineActor.Command> machine =
                      context.spawnAnonymous(
                          MachineActor.create(start.parts, new Nowhere(), Doors.OPEN, listener),
                          DispatcherSelector.fromConfig(BoardDispatcher.ID));
                  machine.tell(new MachineActor.Resume());
                  var _ = start.enough.thenRun(() -> machine.tell(new MachineActor.Stop()));
                  return Behaviors.same();
                }));
  }

  private static Behavior<MachineActor.Event> listener(
      CompletableFuture<MachineActor.Ended> ended) {
    return Behaviors.receiveMessage(
        event -> {
          if (event instanceof MachineActor.Ended end) {
            ended.complete(end);
            return Behaviors.stopped();
          }
          return Behaviors.same();
        });
  }

  /** A console that takes everything, and types nothing. */
  private static final class Nowhere implements ConsoleEnd {
    private volatile ActorRef<ConsoleActor.Command> console;

    @Override
    public void open(ActorRef<ConsoleActor.Command> opened) {
      console = opened;
    }

    @Override
    public void write(byte[] bytes) {
      console.tell(new ConsoleActor.Written(bytes.length));
    }

    @Override
    public void taken() {}

    @Override
    public void close() {}
  }

  /** Runs a machine to its end, or until {@code enough} is completed. */
  MachineActor.Ended run(MachineParts parts, CompletableFuture<?> enough) {
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    system.tell(new Start(parts, enough, ended));
    try {
      return ended.get();
    } catch (ExecutionException e) {
      throw new UserException(ExitCode.INTERNAL, "machine failed to start: " + e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    system.terminate();
  }
}
