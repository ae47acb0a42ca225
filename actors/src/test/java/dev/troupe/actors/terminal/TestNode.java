package dev.troupe.actors.terminal;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.schedule.InputGate;
import dev.troupe.config.Configuration;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** An actor system that others reach by TCP, with hubs and machines that only have a console. */
final class TestNode implements AutoCloseable {
  final ActorSystem<Void> system;

  TestNode(String name, String more) {
    system =
        ActorSystem.create(
            Behaviors.empty(),
            name,
            Configuration.load(
                    Configuration.Role.NODE,
                    ConfigFactory.parseString("pekko.actor.provider = remote\n" + more))
                .config());
  }

  ActorRef<ConsoleHub.Command> hub(String vm, int capacity) {
    return system.systemActorOf(ConsoleHub.create(vm, capacity), "hub-" + vm, Props.empty());
  }

  /** A reference of another node's, as this node has it. */
  @SuppressWarnings("unchecked")
  <T> ActorRef<T> remote(TestNode other, ActorRef<T> reference) {
    String text = ActorRefResolver.get(other.system).toSerializationFormat(reference);
    return ActorRefResolver.get(system).resolveActorRef(text);
  }

  ConsoleHub.Counts counts(ActorRef<ConsoleHub.Command> hub) {
    CompletionStage<ConsoleHub.Counts> counts =
        AskPattern.ask(
            hub, ConsoleHub.Inspect::new, java.time.Duration.ofSeconds(30), system.scheduler());
    return counts.toCompletableFuture().join();
  }

  Guest guest(ActorRef<ConsoleHub.Command> hub, long epoch, Fence fence) {
    return new Guest(ConsoleHub.end(hub, epoch, fence));
  }

  /** A machine's console and its gate, with a guest that echoes nothing. */
  final class Guest {
    final ActorRef<ConsoleActor.Command> console;
    final AtomicLong written = new AtomicLong();
    final ByteArrayOutputStream typed = new ByteArrayOutputStream();
    final CompletableFuture<ConsoleActor.Report> report = new CompletableFuture<>();

    Guest(ConsoleEnd end) {
      InputGate gate =
          new InputGate() {
            @Override
            public void offer(byte[] bytes, Runnable taken) {
              synchronized (typed) {
                typed.writeBytes(bytes);
              }
              taken.run();
            }

            @Override
            public void written(int bytes) {
              written.addAndGet(bytes);
            }

            @Override
            public void pressPowerButton() {}

            @Override
            public void grant(int bytes) {}

            @Override
            public void put(int bytes) {}

            @Override
            public void open(boolean now) {}
          };
      ActorRef<ConsoleActor.Report> reports =
          system.systemActorOf(
              Behaviors.receiveMessage(
                  message -> {
                    report.complete(message);
                    return Behaviors.same();
                  }),
              "reports-" + System.identityHashCode(this),
              Props.empty());
      Behavior<ConsoleActor.Command> behavior =
          Behaviors.setup(
              context -> {
                var child = context.spawn(ConsoleActor.create(end, gate, reports), "console");
                context.watchWith(child, new ConsoleActor.Failed("gone"));
                return Behaviors.receiveMessage(
                    message -> {
                      if (message instanceof ConsoleActor.Failed) {
                        return Behaviors.stopped();
                      }
                      child.tell(message);
                      return Behaviors.same();
                    });
              });
      console =
          system.systemActorOf(behavior, "guest-" + System.identityHashCode(this), Props.empty());
    }

    void print(String text) {
      console.tell(new ConsoleActor.Output(text.getBytes(StandardCharsets.UTF_8)));
    }

    String typed() {
      synchronized (typed) {
        return typed.toString(StandardCharsets.UTF_8);
      }
    }

    /** Ends when all output is out, as a machine does. */
    void end() {
      console.tell(new ConsoleActor.Flush());
      report.join();
      console.tell(new ConsoleActor.Failed("the test's end"));
    }
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }
}
