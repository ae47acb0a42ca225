package dev.troupe.store;

import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreException;
import dev.troupe.config.ConfigurationException;
import dev.troupe.config.NodeConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A store, and a counter in an actor system on it; the counter is made anew for each question. */
final class CounterNode implements AutoCloseable {
  private static final Duration LONG = Duration.ofSeconds(60);

  sealed interface Command {}

  private record Ask(Counter.Command question) implements Command {}

  final Store store;
  final ActorSystem<Command> system;

  /** Why counters ended. */
  final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

  private ActorRef<Counter.Command> counter;

  private CounterNode(NodeConfiguration configuration, Store store) {
    this.store = store;
    system =
        ActorSystem.create(
            guardian(),
            "troupe",
            ActorSystemSetup.create(BootstrapSetup.create(configuration.config()), store.setup()));
  }

  /** With a configuration whose part {@code troupe.store} is this. */
  static CounterNode open(Path folder, String store)
      throws IOException, ConfigurationException, StoreException {
    Path file = Files.createTempFile(folder, "vmd", ".conf");
    Files.writeString(
        file, "pekko { actor.provider = local, loglevel = OFF }\ntroupe.store { " + store + " }\n");
    NodeConfiguration configuration = NodeConfiguration.load(Optional.of(file), Map.of());
    return new CounterNode(configuration, Store.open(configuration.store()));
  }

  private Behavior<Command> guardian() {
    return Behaviors.setup(
        context ->
            Behaviors.receive(Command.class)
                .onMessage(
                    Ask.class,
                    ask -> {
                      if (counter == null) {
                        counter = context.spawnAnonymous(Counter.create());
                        context.watch(counter);
                      }
                      counter.tell(ask.question());
                      return Behaviors.same();
                    })
                .onSignal(
                    ChildFailed.class,
                    failed -> {
                      counter = null;
                      failures.add(failed.cause());
                      return Behaviors.same();
                    })
                .build());
  }

  /** Counts one more, and answers when it is kept. */
  long add() throws ExecutionException, InterruptedException, TimeoutException {
    return ask(Counter.Add::new, LONG);
  }

  long get() throws ExecutionException, InterruptedException, TimeoutException {
    return ask(Counter.Get::new, LONG);
  }

  /** Counts one more, which is expected to fail. */
  void addInVain() {
    system.tell(new Ask(new Counter.Add(system.ignoreRef())));
  }

  /** Asks until there is an answer. */
  long getAtLast() throws InterruptedException {
    while (true) {
      try {
        return ask(Counter.Get::new, Duration.ofSeconds(2));
      } catch (ExecutionException | TimeoutException e) {
        Thread.sleep(200);
      }
    }
  }

  private long ask(Function<ActorRef<Long>, Counter.Command> question, Duration limit)
      throws ExecutionException, InterruptedException, TimeoutException {
    return AskPattern.<Command, Long>ask(
            system, replyTo -> new Ask(question.apply(replyTo)), limit, system.scheduler())
        .toCompletableFuture()
        .get(LONG.toSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public void close() throws ExecutionException, InterruptedException, TimeoutException {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(LONG.toSeconds(), TimeUnit.SECONDS);
    store.close();
  }

  /** Counts for ever, and says each count when it is kept. Arguments: folder, store. */
  public static void main(String[] arguments) throws Exception {
    try {
      CounterNode node = open(Path.of(arguments[0]), arguments[1]);
      while (true) {
        System.out.println(node.add());
      }
    } finally {
      Runtime.getRuntime().halt(1);
    }
  }

  /**
   * Runs {@link #main} in a JVM of its own and kills it when it has counted.
   *
   * @return the last count that it has said
   */
  static long countAndKill(Path folder, String store, long counts)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            CounterNode.class.getName(),
            folder.toString(),
            store));
    Process process =
        new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    long said = 0;
    try (var out = process.inputReader()) {
      for (String text; (text = out.readLine()) != null; ) {
        said = Long.parseLong(text);
        if (said >= counts) {
          process.toHandle().destroyForcibly(); // what it has said can still be read
        }
      }
    }
    process.waitFor();
    return said;
  }
}
