package dev.troupe.benchmark;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.cluster.NodeClient;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.vmctl.TinyKernel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a cluster bears: Linux guests and small ones over the nodes of one machine, asked at their
 * consoles; their memory and idle processor time; nodes killed; vmctl's answers. Run it by {@code
 * integration-tests/bin/cluster-load}, in the repository's top folder.
 */
public final class ClusterLoad {
  private static final Duration ANSWER_LIMIT = Duration.ofMinutes(5);
  private static final Duration SETTLING = Duration.ofSeconds(20);

  /** Until the compilers of the nodes have come to rest. */
  private static final Duration COMPILING = Duration.ofSeconds(60);

  private static final Duration IDLE = Duration.ofSeconds(30);
  private static final Duration AGAIN_LIMIT = Duration.ofMinutes(2);

  private static final double AGAIN_SECONDS = 20;
  private static final double COMMAND_SECONDS = 0.4;
  private static final double DEFINED_SECONDS = 10;

  /** Each does so many things at once: what a door lets one connection do. */
  private static final int CONNECTIONS = 6;

  private static final int CALLS = 16;

  private static final double IDLE_PERCENT = 10;
  private static final double SMALL_MEBIBYTES = 6;

  private static final long LINUX_BYTES = 256 << 20;
  private static final long SMALL_BYTES = 4 << 20;

  /** A guest, and how it is known to be there. */
  private record Guest(VmSpec spec, String prompt, String line, String answer) {
    String name() {
      return spec.getName();
    }
  }

  private final LoadOptions options;
  private final ClusterFigures figures = new ClusterFigures();
  private final List<Guest> guests = new ArrayList<>();
  private final LocalNodes nodes;
  private final List<NodeClient> clients;

  private ClusterLoad(LoadOptions options, LocalNodes nodes) throws IOException, GuestException {
    this.options = options;
    this.nodes = nodes;
    clients =
        IntStream.range(0, nodes.count())
            .mapToObj(node -> new NodeClient(nodes.socket(node)))
            .toList();
    Path kernel = TinyKernel.write(nodes.folder(), TinyKernel.SLEEPING_ECHO);
    for (int i = 1; i <= options.small(); i++) {
      guests.add(small("small" + i, kernel));
    }
    if (options.linux() > 0) {
      GuestFiles files =
          GuestImages.ofUser(new TerminalProgress(System.err, false))
              .get(GuestImage.named("debian").orElseThrow());
      for (int i = 1; i <= options.linux(); i++) {
        guests.add(linux("linux" + i, files));
      }
    }
  }

  private static Guest small(String name, Path kernel) {
    VmSpec spec =
        VmSpec.newBuilder()
            .setName(name)
            .setMemoryBytes(SMALL_BYTES)
            .setBoot(Boot.newBuilder().setKernel(kernel.toString()))
            .build();
    return new Guest(spec, "", "are you " + name + "?", "are you " + name + "?");
  }

  private static Guest linux(String name, GuestFiles files) {
    VmSpec spec =
        VmSpec.newBuilder()
            .setName(name)
            .setMemoryBytes(LINUX_BYTES)
            .setBoot(
                Boot.newBuilder()
                    .setKernel(files.kernel().toString())
                    .setInitrd(files.initrd().toString())
                    .setCommandLine(files.commandLine()))
            .build();
    return new Guest(spec, "# ", "echo $((6 * 7)) " + name + "\n", "42 " + name);
  }

  /** One in each node's turn. */
  private NodeClient client(int i) {
    return clients.get(i % clients.size());
  }

  private static CommandResult start(NodeClient client, VmSpec spec) {
    return client.submit(
        Command.newBuilder().setStart(StartVm.newBuilder().setVm(spec.getName()).setSpec(spec)));
  }

  private interface Task {
    boolean run(int i) throws InterruptedException;
  }

  /** Does something for all of them at once; how often it was done. */
  private static int each(int count, int atOnce, Task task) throws InterruptedException {
    int done = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(atOnce)) {
      List<Future<Boolean>> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int index = i;
        all.add(pool.submit(() -> task.run(index)));
      }
      for (Future<Boolean> one : all) {
        try {
          done += one.get() ? 1 : 0;
        } catch (ExecutionException e) {
          System.err.println("cluster-load: " + e.getCause());
        }
      }
    }
    return done;
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** Starts guests and asks each; how many have answered. */
  private int start(List<Guest> which) throws InterruptedException {
    return each(
        which.size(),
        which.size(),
        i -> {
          Guest guest = which.get(i);
          CommandResult result = start(client(i), guest.spec());
          if (result.getKind() != CommandResult.Kind.KIND_DONE) {
            System.err.println("cluster-load: " + guest.name() + ": " + result.getText());
            return false;
          }
          return asked(client(i + 1), guest);
        });
  }

  private static boolean asked(NodeClient client, Guest guest) throws InterruptedException {
    boolean answers =
        client.answers(guest.name(), guest.prompt(), guest.line(), guest.answer(), ANSWER_LIMIT);
    if (!answers) {
      System.err.println("cluster-load: " + guest.name() + ": no answer");
    }
    return answers;
  }

  private void load() throws IOException, InterruptedException {
    nodes.collectGarbage();
    long before = nodes.residentBytes();
    long begun = System.nanoTime();
    int answered = start(guests);
    double took = seconds(begun);
    figures.all("guests that answer at their consoles", answered, guests.size());
    figures.told("until all have answered", ClusterFigures.text(took, "s"));
    figures.told("on each node", spread());
    Thread.sleep(COMPILING);
    nodes.collectGarbage();
    figures.told(
        "memory a guest, all processes of nodes, grown since before",
        ClusterFigures.text(mebibytes(nodes.residentBytes() - before) / guests.size(), "MiB"));
    Duration idle = nodes.cpu();
    Thread.sleep(IDLE);
    double share = 100.0 * nodes.cpu().minus(idle).toNanos() / IDLE.toNanos();
    figures.atMost("all nodes, guests idle, share of one core", share, "%", IDLE_PERCENT);
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) (1 << 20);
  }

  /** How many machines each node has. */
  private String spread() {
    Map<String, Integer> vms = new HashMap<>();
    for (VmInfo vm : client(0).show()) {
      vms.merge(vm.getNode(), 1, Integer::sum);
    }
    return String.join(
        ", ",
        IntStream.range(0, nodes.count())
            .mapToObj(node -> Integer.toString(vms.getOrDefault(LocalNodes.name(node), 0)))
            .toList());
  }

  // Nodes killed -------------------------------------------------------------------------------

  private void kills() throws IOException, InterruptedException {
    List<Double> times = new ArrayList<>();
    int again = 0;
    int wanted = 0;
    for (int round = 0; round < options.kills(); round++) {
      // The cluster's own command ends when none of its nodes is left.
      int victim = round % Math.max(1, nodes.count() - 1);
      NodeClient witness = client(victim + 1);
      Map<String, Long> there = new HashMap<>();
      for (VmInfo vm : witness.show()) {
        if (vm.getNode().equals(LocalNodes.name(victim))) {
          there.put(vm.getName(), vm.getEpoch());
        }
      }
      wanted += there.size();
      long begun = System.nanoTime();
      nodes.kill(victim);
      again += there.size() - awaitElsewhere(witness, there, begun);
      times.add(seconds(begun));
      System.err.printf(
          "cluster-load: round %d, %s with %d guests: %.1f s%n",
          round + 1, LocalNodes.name(victim), there.size(), times.getLast());
      nodes.restart(victim);
      awaitAllUp(witness);
    }
    figures.all("guests of killed nodes that run again elsewhere", again, wanted);
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    figures.told(
        "a node killed, until its guests run elsewhere, least and median of " + sorted.length,
        "%s, %s"
            .formatted(
                ClusterFigures.text(sorted[0], "s"),
                ClusterFigures.text(sorted[sorted.length / 2], "s")));
    figures.atMost(
        "a node killed, until its guests run elsewhere, most",
        sorted[sorted.length - 1],
        "s",
        AGAIN_SECONDS);
    int answered = each(guests.size(), guests.size(), i -> asked(client(i), guests.get(i)));
    figures.all("guests that answer after all of that", answered, guests.size());
  }

  /** How many are still missing when the time is over. */
  private static int awaitElsewhere(NodeClient witness, Map<String, Long> epochs, long begun)
      throws InterruptedException {
    Map<String, Long> missing = new HashMap<>(epochs);
    while (!missing.isEmpty() && System.nanoTime() - begun < AGAIN_LIMIT.toNanos()) {
      Thread.sleep(100);
      try {
        for (VmInfo vm : witness.show()) {
          Long before = missing.get(vm.getName());
          if (before != null
              && vm.getState() == VmState.VM_STATE_RUNNING
              && vm.getEpoch() > before) {
            missing.remove(vm.getName());
          }
        }
      } catch (StatusRuntimeException e) {
        // It cannot be said just now.
      }
    }
    missing.keySet().forEach(vm -> System.err.println("cluster-load: " + vm + " does not run"));
    return missing.size();
  }

  private void awaitAllUp(NodeClient witness) throws InterruptedException {
    long begun = System.nanoTime();
    while (witness.nodes().stream().filter(n -> n.getState() == NodeInfo.State.STATE_UP).count()
        < nodes.count()) {
      if (System.nanoTime() - begun > AGAIN_LIMIT.toNanos()) {
        throw new IllegalStateException("a node that was started again is not up");
      }
      Thread.sleep(200);
    }
    Thread.sleep(SETTLING);
  }

  // Machines that do not run -------------------------------------------------------------------

  private void stopped() throws InterruptedException {
    VmSpec spec = guests.getFirst().spec();
    List<NodeClient> many = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      many.add(new NodeClient(nodes.socket(i % nodes.count())));
    }
    List<String> names =
        IntStream.rangeClosed(1, options.stopped()).mapToObj(i -> "stopped" + i).toList();
    long begun = System.nanoTime();
    int defined =
        each(
            names.size(),
            CONNECTIONS * CALLS,
            i ->
                many.get(i % CONNECTIONS)
                        .submit(
                            Command.newBuilder()
                                .setDefine(
                                    StartVm.newBuilder()
                                        .setVm(names.get(i))
                                        .setSpec(spec.toBuilder().clearName())))
                        .getKind()
                    == CommandResult.Kind.KIND_DONE);
    double took = seconds(begun);
    Map<String, Long> homes =
        client(0).show().stream()
            .filter(vm -> vm.getState() == VmState.VM_STATE_ENDED && names.contains(vm.getName()))
            .filter(vm -> !vm.getNode().isEmpty())
            .collect(Collectors.groupingBy(VmInfo::getNode, TreeMap::new, Collectors.counting()));
    int placed = (int) homes.values().stream().mapToLong(Long::longValue).sum();
    int explained =
        each(
            names.size(),
            CONNECTIONS,
            i -> !many.get(i % CONNECTIONS).explain(names.get(i)).getChosen().isEmpty());
    many.forEach(NodeClient::close);
    figures.all("stopped machines defined", defined, names.size());
    figures.all("of these placed, as status shows", placed, names.size());
    figures.all("of these placed, as placement explain says", explained, names.size());
    figures.told("on each node", homes.values().toString().replaceAll("[\\[\\]]", ""));
    figures.atMost("all defined and placed", took, "s", DEFINED_SECONDS);
  }

  // Small guests alone, vmctl ------------------------------------------------------------------

  private void smallAlone() throws IOException, InterruptedException {
    stopAll();
    List<Guest> small = guests.stream().filter(guest -> guest.prompt().isEmpty()).toList();
    nodes.collectGarbage();
    long before = nodes.residentBytes();
    start(small);
    nodes.collectGarbage();
    figures.atMost(
        "memory of a small guest of 4 MiB",
        mebibytes(nodes.residentBytes() - before) / small.size(),
        "MiB",
        SMALL_MEBIBYTES);
    stopAll();
  }

  private void stopAll() throws InterruptedException {
    each(
        guests.size(),
        guests.size(),
        i ->
            client(i)
                    .submit(
                        Command.newBuilder()
                            .setStop(
                                StopVm.newBuilder().setVm(guests.get(i).name()).setForce(true)))
                    .getKind()
                != CommandResult.Kind.KIND_FAILED);
    long begun = System.nanoTime();
    while (client(0).show().stream().anyMatch(vm -> vm.getState() != VmState.VM_STATE_ENDED)) {
      if (System.nanoTime() - begun > AGAIN_LIMIT.toNanos()) {
        throw new IllegalStateException("machines that were stopped do not end");
      }
      Thread.sleep(200);
    }
  }

  private void latency() throws IOException, InterruptedException {
    for (List<String> command :
        List.of(List.of("show"), List.of("placement", "explain", "small1"))) {
      VmctlLatencyBenchmark.Latency latency =
          VmctlLatencyBenchmark.measure("./vmctl", command, options.commands(), nodes.socket(0));
      figures.atMost(
          "vmctl " + String.join(" ", command) + ", p50",
          latency.p50() / 1e9,
          "s",
          COMMAND_SECONDS);
      figures.told(
          "vmctl " + String.join(" ", command) + ", p99",
          ClusterFigures.text(latency.p99() / 1e9, "s"));
    }
  }

  private void run() throws IOException, InterruptedException {
    load();
    if (options.commands() > 0) {
      latency();
    }
    if (options.kills() > 0) {
      kills();
    }
    smallAlone();
    if (options.stopped() > 0) {
      stopped();
    }
  }

  private static boolean run(LoadOptions options)
      throws GuestException, IOException, InterruptedException {
    String conditions = Measured.conditions();
    // A node that is lost leaves its guests to the others.
    int room = 2 * (options.linux() + options.small());
    long begun = System.nanoTime();
    try (LocalNodes nodes =
        LocalNodes.start(options.nodes(), List.of("troupe.offer.cores=" + room))) {
      ClusterLoad load = new ClusterLoad(options, nodes);
      load.figures.told("cluster started", ClusterFigures.text(seconds(begun), "s"));
      try {
        load.run();
      } finally {
        load.clients.forEach(NodeClient::close);
      }
      String report =
          """
          By `integration-tests/bin/cluster-load %s`.
          %s.

          %s\
          """
              .formatted(options.text(), conditions, load.figures.markdown());
      System.out.print(report);
      if (options.write()) {
        new Measured("cluster-load").write(report);
      }
      return load.figures.met();
    }
  }

  /** Ends with 1 where a row is unmet, with 2 where nothing could be measured. */
  public static void main(String[] arguments) throws InterruptedException {
    try {
      System.exit(run(LoadOptions.of(Arrays.asList(arguments))) ? 0 : 1);
    } catch (GuestException
        | IOException
        | IllegalArgumentException
        | IllegalStateException
        | StatusRuntimeException e) {
      System.err.println("cluster-load: " + e.getMessage());
      System.exit(2);
    }
  }
}
