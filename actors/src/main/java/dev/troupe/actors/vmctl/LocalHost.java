package dev.troupe.actors.vmctl;

import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.debug.BrakedMachine;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.LoggerFactory;

/** A machine in a local actor system, without the cluster's classes. */
final class LocalHost implements MachineHost, BrakedMachine.Controls {
  private sealed interface Command {}

  private record Stop() implements Command {}

  private record Pause() implements Command {}

  private record Resume() implements Command {}

  private record FromMachine(MachineActor.Event event) implements Command {}

  private final ActorSystem<Command> system;

  private LocalHost(ActorSystem<Command> system) {
    this.system = system;
  }

  /** Starts a machine; {@code ended} is completed when it has ended, all else goes to notes. */
  static LocalHost start(
      MachineParts parts,
      ConsoleEnd console,
      Doors doors,
      CompletableFuture<MachineActor.Ended> ended,
      Consumer<MachineActor.Event> notes) {
    return start(parts, console, doors, ended, notes, true);
  }

  /** The same for a machine that stays switched off until {@link #resume}. */
  static LocalHost start(
      MachineParts parts,
      ConsoleEnd console,
      Doors doors,
      CompletableFuture<MachineActor.Ended> ended,
      Consumer<MachineActor.Event> notes,
      boolean started) {
    // Before the actor system's threads, or SLF4J complains about those that come while it starts.
    LoggerFactory.getILoggerFactory();
    Configuration configuration = Configuration.load(Configuration.Role.LOCAL);
    return new LocalHost(
        ActorSystem.create(
            guardian(parts, console, doors, ended, notes, started),
            "troupe",
            configuration.config()));
  }

  private static Behavior<Command> guardian(
      MachineParts parts,
      ConsoleEnd console,
      Doors doors,
      CompletableFuture<MachineActor.Ended> ended,
      Consumer<MachineActor.Event> notes,
      boolean started) {
    return Behaviors.setup(
        context -> {
          ActorRef<MachineActor.Command> machine =
              context.spawn(
                  MachineActor.create(
                      parts,
                      console,
                      doors,
                      context.messageAdapter(MachineActor.Event.class, FromMachine::new)),
                  "machine",
                  DispatcherSelector.fromConfig(BoardDispatcher.ID));
          context.watch(machine);
          if (started) {
            machine.tell(new MachineActor.Resume());
          }
          ActorRef<MachineActor.Event> events =
              context.messageAdapter(MachineActor.Event.class, FromMachine::new);
          return Behaviors.receive(Command.class)
              .onMessage(
                  Pause.class,
                  pause -> {
                    machine.tell(new MachineActor.Pause(events));
                    return Behaviors.same();
                  })
              .onMessage(
                  Resume.class,
                  resume -> {
                    machine.tell(new MachineActor.Resume());
                    return Behaviors.same();
                  })
              .onMessage(
                  Stop.class,
                  stop -> {
                    machine.tell(new MachineActor.Stop());
                    return Behaviors.same();
                  })
              .onMessage(
                  FromMachine.class,
                  message -> {
                    if (message.event() instanceof MachineActor.Ended end) {
                      ended.complete(end);
                    } else {
                      notes.accept(message.event());
                    }
                    return Behaviors.same();
                  })
              .onSignal(
                  ChildFailed.class,
                  failed -> {
                    ended.completeExceptionally(failed.cause());
                    return Behaviors.same();
                  })
              .onSignal(Terminated.class, gone -> Behaviors.same())
              .build();
        });
  }

  @Override
  public void stop() {
    system.tell(new Stop());
  }

  @Override
  public void pause() {
    system.tell(new Pause());
  }

  @Override
  public void resume() {
    system.tell(new Resume());
  }

  @Override
  public void close() {
    system.terminate();
  }
}
