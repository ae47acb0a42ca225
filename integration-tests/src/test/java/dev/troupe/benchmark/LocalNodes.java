package dev.troupe.benchmark;

import dev.troupe.cluster.NodeClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A cluster on this machine, by {@code ./vmd cluster}, in a temporary folder. Its nodes can be
 * killed and started again.
 */
final class LocalNodes implements AutoCloseable {
  private static final Pattern NODE = Pattern.compile("node(\\d+): .*process (\\d+), socket (.*)");
  private static final Duration STOP_LIMIT = Duration.ofSeconds(90);

  /** Of a clock that /proc counts in: USER_HZ, 100 on every Linux of x86-64. */
  private static final long NANOS_PER_TICK = 10_000_000;

  private final Path folder;
  private final List<String> definitions;
  private final Process cluster;
  private final List<ProcessHandle> nodes = new ArrayList<>();
  private final List<Process> restarted = new ArrayList<>();

  private LocalNodes(Path folder, List<String> definitions, Process cluster) {
    this.folder = folder;
    this.definitions = definitions;
    this.cluster = cluster;
  }

  /**
   * Starts a cluster and waits until all its nodes serve.
   *
   * @param definitions name=value, of all nodes
   */
  static LocalNodes start(int count, List<String> definitions) throws IOException {
    // The database's account has to get at its files.
    Path folder = Files.createTempDirectory("troupe-cluster");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> command = new ArrayList<>(List.of("./vmd", "cluster"));
    command.addAll(List.of("--nodes", Integer.toString(count), "--dir", folder.toString()));
    command.addAll(options(definitions));
    ProcessBuilder builder = program(command);
    LocalNodes nodes = new LocalNodes(folder, definitions, builder.start());
    try {
      nodes.awaitReady(count);
      return nodes;
    } catch (IOException | RuntimeException e) {
      nodes.close();
      throw e;
    }
  }

  private static List<String> options(List<String> definitions) {
    return definitions.stream().flatMap(one -> Stream.of("-D", one)).toList();
  }

  private static ProcessBuilder program(List<String> command) {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().remove("TROUPE_MAIN");
    return builder;
  }

  private void awaitReady(int count) throws IOException {
    BufferedReader lines = cluster.inputReader(StandardCharsets.UTF_8);
    String line = lines.readLine();
    for (; line != null && !line.startsWith("ready"); line = lines.readLine()) {
      Matcher node = NODE.matcher(line);
      if (node.matches()) {
        nodes.add(ProcessHandle.of(Long.parseLong(node.group(2))).orElseThrow());
      }
    }
    if (line == null || nodes.size() != count) {
      throw new IOException("vmd cluster has " + nodes.size() + " of " + count + " nodes");
    }
    // Nobody reads what it says later.
    Thread.ofVirtual().start(() -> lines.lines().forEach(_ -> {}));
  }

  int count() {
    return nodes.size();
  }

  Path folder() {
    return folder;
  }

  /** Of node 0 and up. */
  Path socket(int node) {
    return nodeFolder(node).resolve("vmd.sock");
  }

  private Path nodeFolder(int node) {
    return folder.resolve(name(node));
  }

  static String name(int node) {
    return "node" + (node + 1);
  }

  /** Kills a node's process at once; waits until it is gone. */
  void kill(int node) {
    ProcessHandle process = nodes.get(node);
    process.destroyForcibly();
    process.onExit().join();
  }

  /** Starts a node that was killed; waits until it serves. */
  void restart(int node) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("./vmd", "-d"));
    command.addAll(List.of("-f", nodeFolder(node).resolve("vmd.conf").toString()));
    command.addAll(options(definitions));
    Path log = nodeFolder(node).resolve("restarted.log");
    ProcessBuilder builder = program(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    Process process = builder.start();
    restarted.add(process);
    nodes.set(node, process.toHandle());
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!serves(node)) {
      if (!process.isAlive() || System.nanoTime() - end > 0) {
        throw new IOException(name(node) + " does not serve again; see " + log);
      }
      Thread.sleep(200);
    }
  }

  private boolean serves(int node) {
    try (NodeClient client = new NodeClient(socket(node))) {
      return client.serves();
    }
  }

  /** Has all nodes' garbage collected, so that what they keep can be told from what they do not. */
  void collectGarbage() throws IOException, InterruptedException {
    String jcmd = System.getProperty("java.home") + "/bin/jcmd";
    for (ProcessHandle node : nodes) {
      new ProcessBuilder(jcmd, Long.toString(node.pid()), "GC.run")
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    }
  }

  /** Resident memory of all nodes' processes, bytes. */
  long residentBytes() throws IOException {
    long sum = 0;
    for (ProcessHandle node : nodes) {
      sum += kibibytes(node, "VmRSS:") << 10;
    }
    return sum;
  }

  private static long kibibytes(ProcessHandle process, String field) throws IOException {
    Path status = Path.of("/proc", Long.toString(process.pid()), "status");
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException(status + " has no " + field);
  }

  /** Processor time of all nodes' processes so far. */
  Duration cpu() throws IOException {
    long ticks = 0;
    for (ProcessHandle node : nodes) {
      String stat = Files.readString(Path.of("/proc", Long.toString(node.pid()), "stat"));
      // Behind the name, which may have blanks: state is field 3, utime 14, stime 15.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }
    return Duration.ofNanos(ticks * NANOS_PER_TICK);
  }

  @Override
  public void close() {
    try {
      restarted.forEach(Process::destroy);
      cluster.destroy();
      if (!cluster.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        System.err.println("cluster-load: the cluster does not end; killed, see " + folder);
        cluster.destroyForcibly();
      }
      for (Process process : restarted) {
        if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      }
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException e) {
      System.err.println("cluster-load: " + folder + " is left: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
