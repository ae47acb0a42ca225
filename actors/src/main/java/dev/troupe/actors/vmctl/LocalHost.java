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

  /** There is something to run. */
  private record Begin(
      MachineParts parts,
      ConsoleEnd console,
      Doors doors,
      CompletableFuture<MachineActor.Ended> ended,
      Consumer<MachineActor.Event> notes,
      boolean started)
      implements Command {}

  private final ActorSystem<Command> system;

  private LocalHost() {
    // Before the actor system's threads, or SLF4J complains about those that come while it starts.
    LoggerFactory.getILoggerFactory();
    Configuration configuration = Configuration.load(Configuration.Role.LOCAL);
    system =
        ActorSystem.create(
            Behaviors.receive(Command.class).onMessage(Begin.class, LocalHost::running).build(),
            "troupe",
            configuration.config());
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
    LocalHost host = new LocalHost();
    host.system.tell(new Begin(parts, console, doors, ended, notes, started));
    return host;
  }

  /**
   * A host that starts while its machine is still being made: an actor system takes half a second
   * of a new process.
   */
  static final class Early implements AutoCloseable {
    private final CompletableFuture<LocalHost> host =
        CompletableFuture.supplyAsync(
            LocalHost::new, work -> Thread.ofPlatform().daemon().name("troupe-host").start(work));

    /** The same as {@link LocalHost#start}; once. */
    LocalHost start(
        MachineParts parts,
        ConsoleEnd console,
        Doors doors,
        CompletableFuture<MachineActor.Ended> ended,
        Consumer<MachineActor.Event> notes) {
      LocalHost there = host.join();
      there.system.tell(new Begin(parts, console, doors, ended, notes, true));
      return there;
    }

    /** The host is not needed any more, if it ever was. */
    @Override
    public void close() {
      var _ = host.thenAccept(LocalHost::close);
    }
  }

  private static Behavior<Command> running(Begin begin) {
    return Behaviors.setup(
        context -> {
          ActorRef<MachineActor.Command> machine =
              context.spawn(
                  MachineActor.create(
                      begin.parts,
                      begin.console,
                      begin.doors,
                      context.messageAdapter(MachineActor.Event.class, FromMachine::new)),
                  "machine",
                  DispatcherSelector.fromConfig(BoardDispatcher.ID));
          context.watch(machine);
          if (begin.started) {
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
                      begin.ended.complete(end);
                    } else {
                      begin.notes.accept(message.event());
                    }
                    return Behaviors.same();
                  })
              .onSignal(
                  ChildFailed.class,
                  failed -> {
                    begin.ended.completeExceptionally(failed.cause());
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
