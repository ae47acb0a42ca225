package dev.troupe.actors.vmd.local;

import dev.troupe.actors.store.ProcessLock;
import dev.troupe.actors.vmd.StopSignals;
import dev.troupe.actors.vmd.VmdException;
import dev.troupe.actors.vmd.VmdExit;
import dev.troupe.config.ConfigurationException;
import dev.troupe.config.NodeConfiguration;
import dev.troupe.config.Places;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vmd cluster}: node processes on loopback addresses, and their shared store. */
@Command(
    name = "cluster",
    description = "Runs a cluster on this machine, to try it: node processes and their store.",
    mixinStandardHelpOptions = true)
public final class LocalCluster implements Callable<Integer> {
  /** 127.0.0.1 and up; a machine that tries it has not the memory for more. */
  private static final int MOST_NODES = 16;

  /** A slow machine starts several JVMs at once. */
  private static final Duration START_LIMIT = Duration.ofMinutes(3);

  /** The node's own limit for what is no machine, and some. */
  private static final Duration STOP_MARGIN = Duration.ofSeconds(25);

  @Option(
      names = "--nodes",
      paramLabel = "N",
      defaultValue = "3",
      description = "Nodes, 1 to " + MOST_NODES + " (default: ${DEFAULT-VALUE}).")
  private int nodes;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "Where all of it is; stays for the next time (default: cluster, in the state folder).")
  private Path folder;

  @Option(names = "-v", description = "Log in detail.")
  private boolean verbose;

  @Option(
      names = "-D",
      paramLabel = "macro=value",
      description = "A value for the configuration of all nodes.")
  private Map<String, String> definitions = new LinkedHashMap<>();

  @Spec private CommandSpec spec;

  private final PrintStream out = System.out;
  private final PrintStream err = System.err;

  /** The command. */
  public LocalCluster() {}

  @Override
  public Integer call() throws VmdException, ConfigurationException, InterruptedException {
    if (nodes < 1 || nodes > MOST_NODES) {
      throw new ParameterException(
          spec.commandLine(), "--nodes " + nodes + ": expected 1 to " + MOST_NODES);
    }
    Path top =
        (folder == null ? Places.ofProcess().state().resolve("cluster") : folder)
            .toAbsolutePath()
            .normalize();
    if (PostgresServer.programs().isEmpty()) {
      throw new VmdException(VmdExit.UNAVAILABLE, PostgresServer.MISSING);
    }
    StopSignals signals = StopSignals.install();
    try {
      Files.createDirectories(top);
    } catch (IOException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "folder " + top + " cannot be made: " + e);
    }
    try (ProcessLock _ = ProcessLock.take(top.resolve("cluster.lock"));
        PostgresServer store = PostgresServer.start(top.resolve("store"))) {
      out.println("store: PostgreSQL " + store.version() + ", " + store.url());
      return run(top, store, signals);
    } catch (ProcessLock.HeldException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "a cluster runs already: " + e.getMessage());
    } catch (IOException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "cluster in " + top + ": " + e);
    }
  }

  private int run(Path top, PostgresServer store, StopSignals signals)
      throws IOException, VmdException, ConfigurationException, InterruptedException {
    CompletableFuture<String> stop = signals.requested().toCompletableFuture();
    int port = freePort();
    List<Path> files = new ArrayList<>();
    for (int node = 1; node <= nodes; node++) {
      files.add(configure(top, node, port, store));
    }
    // All files are checked before a node starts.
    Duration limit = Duration.ZERO;
    for (Path file : files) {
      limit = NodeConfiguration.load(Optional.of(file), definitions).stopLimit();
    }
    List<NodeChild> children = new ArrayList<>();
    try {
      for (int node = 1; node <= nodes; node++) {
        children.add(
            NodeChild.start("node" + node, main(), files.get(node - 1), definitions, verbose, err));
      }
      if (!awaitReady(top, port, children, stop)) {
        return stop.isDone() ? VmdExit.OK : VmdExit.UNAVAILABLE;
      }
      out.println("ready; Ctrl-C ends all");
      out.flush();
      children.forEach(child -> child.onEnd(exit -> sayEnd(child, exit, stop)));
      CompletableFuture<?> allEnded =
          CompletableFuture.allOf(
              children.stream().map(NodeChild::ended).toArray(CompletableFuture[]::new));
      CompletableFuture.anyOf(stop, allEnded).join();
      return stop.isDone() ? VmdExit.OK : VmdExit.REMOVED;
    } finally {
      end(children, limit.plus(STOP_MARGIN));
    }
  }

  private void sayEnd(NodeChild child, int exit, CompletableFuture<String> stop) {
    if (!stop.isDone()) {
      out.println(child.name() + " ended (exit code " + exit + ")");
      out.flush();
    }
  }

  private boolean awaitReady(
      Path top, int port, List<NodeChild> children, CompletableFuture<String> stop)
      throws InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    for (int node = 1; node <= children.size(); node++) {
      NodeChild child = children.get(node - 1);
      try {
        CompletableFuture.anyOf(child.ready(), stop)
            .get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (ExecutionException e) {
        err.println("vmd: " + e.getCause().getMessage() + "; see " + log(top, node));
        return false;
      } catch (TimeoutException e) {
        err.println(
            "vmd: "
                + child.name()
                + " does not serve after "
                + START_LIMIT.toSeconds()
                + " s; see "
                + log(top, node));
        return false;
      }
      if (stop.isDone()) {
        return false;
      }
      out.println(
          child.name()
              + ": "
              + host(node)
              + ":"
              + port
              + ", process "
              + child.pid()
              + ", socket "
              + folder(top, node).resolve("vmd.sock"));
      out.flush();
    }
    return true;
  }

  /** All at once; they hand over to each other as far as that is possible. */
  private static void end(List<NodeChild> children, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    children.forEach(NodeChild::stop);
    for (NodeChild child : children) {
      child.await(Math.max(0, deadline - System.nanoTime()));
    }
  }

  /** The class that java was told to start, which knows what a node does. */
  private static String main() {
    return System.getProperty("sun.java.command").split(" ", 2)[0];
  }

  private static String host(int node) {
    return "127.0.0." + node;
  }

  private static Path folder(Path top, int node) {
    return top.resolve("node" + node);
  }

  private static Path log(Path top, int node) {
    return folder(top, node).resolve("vmd.log");
  }

  /** A port that is free on all addresses. */
  private int freePort() throws IOException, VmdException {
    for (int attempt = 0; attempt < 100; attempt++) {
      int port;
      try (ServerSocket any = new ServerSocket(0)) {
        port = any.getLocalPort();
      }
      if (IntStream.rangeClosed(1, nodes).allMatch(node -> isFree(host(node), port))) {
        return port;
      }
    }
    throw new VmdException(VmdExit.UNAVAILABLE, "no port is free on 127.0.0.1 to " + host(nodes));
  }

  private static boolean isFree(String host, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(host, port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private Path configure(Path top, int node, int port, PostgresServer store)
      throws IOException, ConfigurationException {
    NodeConfiguration.Offer host = NodeConfiguration.load(Optional.empty(), Map.of()).offer();
    String seeds =
        IntStream.rangeClosed(1, nodes)
            .mapToObj(seed -> "\"" + host(seed) + ":" + port + "\"")
            .collect(Collectors.joining(", "));
    Path mine = folder(top, node);
    Files.createDirectories(mine);
    return Files.writeString(
        mine.resolve("vmd.conf"),
        """
        # Written by vmd cluster at each start. What ../vmd.conf says comes before it.
        troupe {
          node { name = node%d, host = "%s", port = %d, seeds = [%s] }
          offer { memory = %d, cores = %d }
          store { url = "%s", user = %s, password-file = "%s" }
          socket = vmd.sock
          log.file = vmd.log
        }
        include "../vmd.conf"
        """
            .formatted(
                node,
                host(node),
                port,
                seeds,
                host.memory() / nodes,
                Math.max(1, host.cores() / nodes),
                store.url(),
                store.user(),
                store.passwordFile()));
  }
}
