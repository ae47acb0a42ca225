package dev.troupe.cluster;

import dev.troupe.vmctl.VmctlProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The socket of a node's daemon, and vmctl's commands through it, each in a process of its own.
 *
 * @param socket where the daemon is reached
 */
record Daemon(Path socket) {
  private static final String VMD = "dev.troupe.actors.vmd.Vmd";

  /** It ends before anything is worth a better compiler. */
  private static final List<String> SHORT_LIVED = List.of("-XX:TieredStopAtLevel=1");

  /**
   * The daemon's program.
   *
   * @param by as {@link VmctlProcess.Program} has it
   */
  static VmctlProcess.Program vmd(List<String> by) {
    return new VmctlProcess.Program(by, List.of(), VMD, Map.of());
  }

  /** Vmctl's program, for this daemon. */
  private VmctlProcess.Program client() {
    return new VmctlProcess.Program(
        List.of(),
        SHORT_LIVED,
        "dev.troupe.actors.client.Client",
        Map.of("TROUPE_SOCKET", socket.toString()));
  }

  /** Starts a node alone, with its store in a folder, and waits until it serves. */
  static VmctlProcess start(Path folder) throws IOException, InterruptedException {
    VmctlProcess node =
        vmd(List.of())
            .start(
                List.of(
                    "-d",
                    "-D",
                    "troupe.node.name=alone",
                    "-D",
                    "troupe.node.port=0",
                    "-D",
                    "troupe.stop.limit=6s",
                    "-D",
                    "troupe.store.file=" + folder.resolve("store"),
                    "-D",
                    "troupe.socket=" + of(folder).socket));
    node.await("serves at", 0, 120);
    return node;
  }

  /** Starts a cluster, and waits until all nodes serve. */
  static VmctlProcess startCluster(Path folder, int nodes)
      throws IOException, InterruptedException {
    VmctlProcess cluster =
        vmd(List.of())
            .start(
                List.of(
                    "cluster",
                    "--nodes",
                    Integer.toString(nodes),
                    "--dir",
                    folder.toString(),
                    "-D",
                    "troupe.stop.limit=6s"));
    cluster.await("ready", 0, 240);
    return cluster;
  }

  /** The daemon of a node alone. */
  static Daemon of(Path folder) {
    return new Daemon(folder.resolve("vmd.sock"));
  }

  /** The daemon of a cluster's node, from 1. */
  static Daemon of(Path folder, int node) {
    return new Daemon(folder.resolve("node" + node).resolve("vmd.sock"));
  }

  /** Runs a command to its end. */
  VmctlProcess.Result vmctl(String... arguments) throws IOException, InterruptedException {
    return client().run(List.of(arguments));
  }

  /** Runs a command that has to succeed; gives what it writes. */
  String done(String... arguments) throws IOException, InterruptedException {
    VmctlProcess.Result result = vmctl(arguments);
    if (result.exitCode() != 0) {
      throw new AssertionError("vmctl " + String.join(" ", arguments) + ": " + result);
    }
    return result.out() + result.err();
  }

  /** Starts a command that goes on. */
  VmctlProcess open(String... arguments) throws IOException {
    return client().start(List.of(arguments));
  }

  /** What {@code status --format json} says of a machine; waits until it is as wanted. */
  String await(String vm, int seconds, Predicate<String> wanted)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    VmctlProcess.Result last;
    do {
      last = vmctl("status", "--format", "json", vm);
      if (last.exitCode() == 0 && wanted.test(last.out())) {
        return last.out();
      }
      Thread.sleep(500);
    } while (System.nanoTime() < end);
    throw new AssertionError(vm + " is not as wanted after " + seconds + " s: " + last);
  }
}
