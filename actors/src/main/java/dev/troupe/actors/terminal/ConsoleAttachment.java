package dev.troupe.actors.terminal;

import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Somebody at a machine's console, on the node where they are attached. */
public final class ConsoleAttachment {
  private static final Duration TICK = Duration.ofMillis(250);

  private sealed interface Command {}

  private record Request(int chunks) implements Command {}

  private record Input(byte[] bytes) implements Command {}

  private record FromHub(ConsoleHub.Reply reply) implements Command {}

  private record Located(Locator.Location location) implements Command {}

  private record NotLocated(Throwable reason) implements Command {}

  private enum Plain implements Command {
    TICK,
    LEAVE
  }

  /** What the attached client holds; after it is closed, its watcher hears nothing more. */
  private static final class Session implements ConsoleSession, ConsoleWatcher {
    private final ConsoleWatcher watcher;
    private ActorRef<Command> attachment;
    private volatile boolean closed;

    Session(ConsoleWatcher watcher) {
      this.watcher = watcher;
    }

    @Override
    public void input(byte[] bytes) {
      if (bytes.length > ConsoleHub.MAX_INPUT) {
        throw new IllegalArgumentException(
            "input of " + bytes.length + " bytes, expected at most " + ConsoleHub.MAX_INPUT);
      }
      attachment.tell(new Input(bytes.clone()));
    }

    @Override
    public void request(int chunks) {
      attachment.tell(new Request(chunks));
    }

    @Override
    public void close() {
      closed = true;
      attachment.tell(Plain.LEAVE);
    }

    @Override
    public void output(ConsoleOutput output) {
      if (!closed) {
        watcher.output(output);
      }
    }

    @Override
    public void failed(ControlException reason) {
      if (!closed) {
        watcher.failed(reason);
      }
    }

    @Override
    public void closed() {
      if (!closed) {
        watcher.closed();
      }
    }
  }

  private final Attachment attachment;

  private ConsoleAttachment(Attachment attachment) {
    this.attachment = attachment;
  }

  /**
   * Attaches somebody to a machine's console. Whether they may is decided before, or by the
   * locator.
   *
   * @param who is told to those whom this session takes the writing from
   * @param open its machine's name is what the locator is asked for
   */
  public static ConsoleSession attach(
      ActorSystem<?> system,
      String who,
      OpenConsole open,
      Locator locator,
      ConsoleWatcher watcher) {
    String id = UUID.randomUUID().toString();
    Session session = new Session(watcher);
    session.attachment =
        system.systemActorOf(
            create(id, who, open, locator, session), "console-" + id, Props.empty());
    return session;
  }

  private static Behavior<Command> create(
      String id, String who, OpenConsole open, Locator locator, ConsoleWatcher watcher) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(Plain.TICK, TICK);
                  var attachment =
                      new Attachment(
                          id,
                          who,
                          open,
                          System::nanoTime,
                          new Outside(context, open.getVm(), locator, watcher),
                          context.messageAdapter(ConsoleHub.Reply.class, FromHub::new));
                  attachment.start();
                  return new ConsoleAttachment(attachment).behavior();
                }));
  }

  private record Outside(
      ActorContext<Command> context, String vm, Locator locator, ConsoleWatcher watcher)
      implements Told {
    @Override
    public void locate() {
      CompletionStage<Locator.Location> found;
      try {
        found = locator.locate(vm);
      } catch (RuntimeException e) { // must not end the session unseen
        found = CompletableFuture.failedFuture(e);
      }
      context.pipeToSelf(
          found,
          (location, failure) ->
              failure == null
                  ? new Located(location)
                  : new NotLocated(
                      failure instanceof CompletionException && failure.getCause() != null
                          ? failure.getCause()
                          : failure));
    }

    @Override
    public void output(ConsoleOutput output) {
      watcher.output(output);
    }

    @Override
    public void failed(ControlException reason) {
      watcher.failed(reason);
    }

    @Override
    public void closed() {
      watcher.closed();
    }
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Command.class, this::onCommand)
        .onSignal(PostStop.class, this::onStop)
        .build();
  }

  /** However it ends, a watcher that throws included: the writing is free again. */
  private Behavior<Command> onStop(PostStop signal) {
    if (!attachment.done()) {
      attachment.leave();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Request(int chunks) -> attachment.request(chunks);
      case Input(byte[] bytes) -> attachment.input(bytes);
      case FromHub(ConsoleHub.Reply reply) -> attachment.handle(reply);
      case Located(Locator.Location location) -> attachment.located(location);
      case NotLocated(Throwable reason) -> attachment.notLocated(reason);
      case Plain.TICK -> attachment.tick();
      case Plain.LEAVE -> attachment.leave();
    }
    return attachment.done() ? Behaviors.stopped() : Behaviors.same();
  }
}
