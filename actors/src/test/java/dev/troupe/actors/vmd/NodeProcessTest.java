package dev.troupe.actors.vmd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.store.Store;
import dev.troupe.config.NodeConfiguration;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.h2.tools.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeProcessTest {
  private static final long LONG = 120;

  @TempDir Path folder;

  private Server database;

  @BeforeEach
  void startDatabase() throws Exception {
    database = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
  }

  @AfterEach
  void stopDatabase() {
    database.stop();
  }

  /** A node in a thread of its own, and what it told of itself. */
  private static final class Node implements NodeServices, NodeServices.Factory {
    final StopSignals signals = StopSignals.none();
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final FutureTask<Integer> run;

    Node(NodeConfiguration configuration) {
      run =
          new FutureTask<>(
              () ->
                  NodeProcess.run(
                      configuration,
                      this,
                      signals,
                      new PrintStream(out, true, StandardCharsets.UTF_8)));
      Thread.ofPlatform().daemon().start(run);
    }

    @Override
    public NodeServices start(
        ActorContext<?> context, NodeConfiguration configuration, Store store) {
      events.add("started");
      return this;
    }

    @Override
    public AutoCloseable open(NodeConfiguration configuration) {
      events.add("open");
      return () -> events.add("closed");
    }

    @Override
    public void reload(NodeConfiguration configuration) {}

    @Override
    public CompletionStage<Void> stop(Duration limit) {
      events.add("stopped");
      return CompletableFuture.completedStage(null);
    }

    void await(String event) throws InterruptedException {
      assertThat(events.poll(LONG, TimeUnit.SECONDS)).isEqualTo(event);
    }

    int stop() throws ExecutionException, InterruptedException, TimeoutException {
      signals.stop("test");
      return run.get(LONG, TimeUnit.SECONDS);
    }
  }

  private NodeConfiguration configuration(String name, int port, int seed, String database)
      throws Exception {
    return load(
        """
        pekko { loglevel = OFF, cluster.seed-node-timeout = 2s }
        troupe {
          node { name = %s, port = %d, seeds = "127.0.0.1:%d" }
          store { url = "jdbc:h2:tcp://127.0.0.1:%d/mem:%s;DB_CLOSE_DELAY=-1", user = sa }
          socket = vmd.sock
        }
        """
            .formatted(name, port, seed, this.database.getPort(), database));
  }

  private NodeConfiguration load(String text) throws Exception {
    Path file = Files.writeString(Files.createTempFile(folder, "vmd", ".conf"), text);
    return NodeConfiguration.load(Optional.of(file), Map.of());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @Test
  void aNodeOpensItsDoorWhenItIsUpAndClosesItFirst() throws Exception {
    Node node =
        new Node(
            load(
                """
                pekko.loglevel = OFF
                troupe { node { name = a, port = 0 }, store.file = store, socket = /none/vmd.sock }
                """));
    node.await("started");
    node.await("open");

    assertThat(node.stop()).isEqualTo(VmdExit.OK);
    assertThat(node.events).containsExactly("closed", "stopped");
    assertThat(node.out.toString(StandardCharsets.UTF_8))
        .matches("vmd: node a serves at 127\\.0\\.0\\.1:[0-9]+, socket /none/vmd\\.sock\\R");
  }

  @Test
  void aNodeOfTheSameStoreJoinsAndOneOfAnotherIsRefused() throws Exception {
    int port = freePort();
    Node first = new Node(configuration("a", port, port, "one"));
    first.await("started");
    first.await("open");
    Node second = new Node(configuration("b", 0, port, "one"));
    second.await("started");
    second.await("open");
    Node other = new Node(configuration("c", 0, port, "two"));
    other.await("started");

    assertThatThrownBy(() -> other.run.get(LONG, TimeUnit.SECONDS))
        .cause()
        .isInstanceOf(VmdException.class)
        .hasMessageStartingWith(
            "the cluster refuses this node: its store or its version is not the cluster's")
        .extracting(e -> ((VmdException) e).exit())
        .isEqualTo(VmdExit.UNAVAILABLE);
    assertThat(second.stop()).isEqualTo(VmdExit.OK);
    assertThat(first.stop()).isEqualTo(VmdExit.OK);
  }

  @Test
  void aNodeThatWaitsForItsClusterStopsWhenItIsAsked() throws Exception {
    Node node = new Node(configuration("a", 0, freePort(), "one"));
    node.await("started");

    assertThat(node.stop()).isEqualTo(VmdExit.OK);
    assertThat(node.events).doesNotContain("open");
  }

  @Test
  void aNodeThatWaitsForItsStoreStopsWhenItIsAsked() throws Exception {
    Node node =
        new Node(
            load(
                "troupe.store { url = \"jdbc:postgresql://127.0.0.1:1/none\", timeout = 1s,"
                    + " start-limit = 1h }"));

    assertThat(node.stop()).isEqualTo(VmdExit.OK);
    assertThat(node.events).isEmpty();
  }

  @Test
  void anAddressThatIsTakenIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      int port = taken.getLocalPort();
      Node node = new Node(configuration("a", port, port, "one"));

      assertThatThrownBy(() -> node.run.get(LONG, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(VmdException.class)
          .hasMessageStartingWith("address 127.0.0.1:" + port + " cannot be used: ");
    }
  }

  @Test
  void storesMustBeTheSame() {
    var check = new SameStore();
    var one = ConfigFactory.parseMap(Map.of(SameStore.ID, "one"));
    var two = ConfigFactory.parseMap(Map.of(SameStore.ID, "two"));

    assertThat(check.check(one, one).getClass().getSimpleName()).startsWith("Valid");
    assertThat(check.check(two, one).toString())
        .contains(
            "the other side's store is two, this node's is one: all nodes of a cluster have one"
                + " store");
    assertThat(check.check(ConfigFactory.empty(), one).toString())
        .contains("the other side's store is unknown");
  }
}
