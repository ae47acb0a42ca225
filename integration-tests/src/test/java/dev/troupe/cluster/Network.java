package dev.troupe.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A network of this machine's own: a bridge, and a namespace for each node, numbered from 1. What
 * one node sends to another can be dropped, each direction for itself. Needs root.
 */
final class Network implements AutoCloseable {
  private static final int BRIDGE_HOST = 254;

  private final int nodes;
  private final String name;
  private final String prefix;

  private Network(int nodes) {
    this.nodes = nodes;
    long pid = ProcessHandle.current().pid();
    name = "troupe" + pid % 100_000;
    // 198.18.0.0/15 is for tests (RFC 2544).
    prefix = "198." + (18 + pid / 256 % 2) + "." + pid % 256 + ".";
  }

  /** Why this machine lets us make no network; empty if it does. */
  static Optional<String> missing() throws InterruptedException {
    String probe = "troupe-probe" + ProcessHandle.current().pid();
    try {
      ip("netns", "add", probe);
      ip("netns", "delete", probe);
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Makes it. */
  static Network open(int nodes) throws IOException, InterruptedException {
    Network network = new Network(nodes);
    try {
      network.make();
    } catch (IOException e) {
      network.close();
      throw e;
    }
    return network;
  }

  private void make() throws IOException, InterruptedException {
    ip("link", "add", name, "type", "bridge");
    ip("address", "add", prefix + BRIDGE_HOST + "/24", "dev", name);
    ip("link", "set", name, "up");
    for (int node = 1; node <= nodes; node++) {
      String space = space(node);
      String port = name + "p" + node;
      ip("netns", "add", space);
      ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space);
      ip("link", "set", port, "master", name, "up");
      ip("-n", space, "address", "add", host(node) + "/24", "dev", "eth0");
      ip("-n", space, "link", "set", "lo", "up");
      ip("-n", space, "link", "set", "eth0", "up");
    }
  }

  private String space(int node) {
    return name + "-" + node;
  }

  /** A node's address. */
  String host(int node) {
    return prefix + node;
  }

  /** The address at which nodes reach what runs outside of them. */
  String outside() {
    return prefix + BRIDGE_HOST;
  }

  /** What runs a command in a node's namespace. */
  List<String> in(int node) {
    return List.of("ip", "netns", "exec", space(node));
  }

  /** From now on nothing that one node sends gets to the other. */
  void drop(int from, int to) throws IOException, InterruptedException {
    ip("-n", space(from), "route", "replace", "blackhole", host(to) + "/32");
  }

  /** Cuts each node of one side from each of the other. */
  void cut(List<Integer> side, List<Integer> other) throws IOException, InterruptedException {
    for (int one : side) {
      for (int two : other) {
        drop(one, two);
        drop(two, one);
      }
    }
  }

  /** All reach all again. */
  void heal() throws IOException, InterruptedException {
    for (int node : IntStream.rangeClosed(1, nodes).toArray()) {
      ip("-n", space(node), "route", "flush", "type", "blackhole");
    }
  }

  private static void ip(String... arguments) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of("ip"));
    line.addAll(List.of(arguments));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", line) + ": " + said.strip());
    }
  }

  @Override
  public void close() {
    for (int node = 1; node <= nodes; node++) {
      undo("netns", "delete", space(node)); // and its link with it
    }
    undo("link", "delete", name);
  }

  private static void undo(String... arguments) {
    try {
      ip(arguments);
    } catch (IOException e) {
      // It was not made.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
