package dev.troupe.cluster;

import dev.troupe.vmctl.VmctlProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.h2.tools.Server;

/**
 * Nodes as processes that are started and ended one by one, numbered from 1, each at its address of
 * a {@link Network}, with a database server of this process as their store.
 */
final class Nodes implements AutoCloseable {
  private static final int PORT = 25_520;

  private final Path folder;
  private final int count;
  private final Network network;
  private final Server store;
  private final Map<Integer, VmctlProcess> running = new TreeMap<>();
  private final Map<String, List<Instant>> frozen = new TreeMap<>();

  private Nodes(Path folder, int count, Network network, Server store) {
    this.folder = folder;
    this.count = count;
    this.network = network;
    this.store = store;
  }

  /** Makes the network and the store; starts no node. */
  static Nodes open(Path folder, int count) throws IOException, InterruptedException, SQLException {
    Server store =
        Server.createTcpServer(
                "-tcpPort",
                "0",
                "-tcpAllowOthers",
                "-ifNotExists",
                "-baseDir",
                folder.resolve("store").toString())
            .start();
    return new Nodes(folder, count, Network.open(count), store);
  }

  Network network() {
    return network;
  }

  /** Starts a node, with these values besides; does not wait. */
  void launch(int node, Map<String, String> definitions) throws IOException {
    Path file = configure(node, "1G");
    List<String> arguments = new ArrayList<>(List.of("--end-with-input", "-f", file.toString()));
    definitions.forEach((path, value) -> arguments.addAll(List.of("-D", path + "=" + value)));
    running.put(node, Daemon.vmd(network.in(node)).start(arguments));
  }

  /** A running node offers another amount of memory from now on. */
  void offer(int node, String memory) throws IOException, InterruptedException {
    configure(node, memory);
    signal("HUP", node);
  }

  /** Sends a signal to a node. */
  void signal(String name, int node) throws IOException, InterruptedException {
    String process = Long.toString(process(node).handle().pid());
    if (name.equals("STOP")) {
      ranUntilNow(node);
    }
    if (new ProcessBuilder("kill", "-" + name, process).inheritIO().start().waitFor() != 0) {
      throw new IOException("node" + node + " does not run");
    }
  }

  /** Kills a node; it is gone when this returns. */
  void kill(int node) {
    process(node).close();
    process(node).handle().onExit().join();
    ranUntilNow(node);
  }

  private void ranUntilNow(int node) {
    frozen.computeIfAbsent("node" + node, none -> new ArrayList<>()).add(Instant.now());
  }

  private Path configure(int node, String memory) throws IOException {
    Path own = folder(node);
    Files.createDirectories(own);
    String seeds =
        IntStream.rangeClosed(1, count)
            .mapToObj(seed -> "\"" + network.host(seed) + ":" + PORT + "\"")
            .collect(Collectors.joining(", "));
    return Files.writeString(
        own.resolve("vmd.conf"),
        """
        troupe {
          node { name = node%d, host = "%s", port = %d, seeds = [%s] }
          offer { memory = %s, cores = 2 }
          store { url = "jdbc:h2:tcp://%s:%d/troupe", user = troupe, password = secret }
          socket = vmd.sock
          log.file = vmd.log
          stop.limit = 6s
        }
        """
            .formatted(
                node, network.host(node), PORT, seeds, memory, network.outside(), store.getPort()));
  }

  /** Starts all that do not run, and waits until each serves. */
  void launchAll() throws IOException, InterruptedException {
    for (int node = 1; node <= count; node++) {
      if (!running.containsKey(node) || !running.get(node).handle().isAlive()) {
        launch(node, Map.of());
      }
    }
    for (VmctlProcess process : running.values()) {
      process.await("serves at", 0, 180);
    }
  }

  /** A node's process. */
  VmctlProcess process(int node) {
    return running.get(node);
  }

  /** A connection to a node, for what is asked often. */
  NodeClient client(int node) {
    return new NodeClient(folder(node).resolve("vmd.sock"));
  }

  /** A node as vmctl reaches it. */
  Daemon daemon(int node) {
    return Daemon.of(folder, node);
  }

  private Path folder(int node) {
    return folder.resolve("node" + node);
  }

  /** A node's log of all its lives. */
  List<String> log(int node) throws IOException {
    return Files.readAllLines(folder(node).resolve("vmd.log"));
  }

  /** What all nodes' logs say of where machines ran, and when. */
  Lives lives() throws IOException {
    Map<String, List<String>> logs = new TreeMap<>();
    for (int node = 1; node <= count; node++) {
      logs.put("node" + node, log(node));
    }
    return Lives.of(logs, frozen);
  }

  @Override
  public void close() {
    running.values().forEach(VmctlProcess::close);
    store.stop();
    network.close();
  }
}
