package dev.troupe.actors.client;

import dev.troupe.actors.cli.DurationConverter;
import dev.troupe.actors.cli.Terminal;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.NodesRequest;
import dev.troupe.proto.vmd.VmInfo;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vmctl top}. */
@Command(
    description = "Shows which machines use the processors, over and over.",
    mixinStandardHelpOptions = true)
final class TopCommand implements Callable<Integer> {
  /** To the upper left corner, and everything away. */
  private static final String CLEAR = "\033[H\033[2J";

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      description = "So many times; the first shows the mean since each start.")
  private long count = Long.MAX_VALUE;

  @Option(
      names = {"-s", "--every"},
      paramLabel = "D",
      defaultValue = "2s",
      converter = DurationConverter.class,
      description = "How often (5s, 1m); default ${DEFAULT-VALUE}.")
  private Duration every;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Output output;

  /** What a machine had used up to some time. */
  private record Used(long epoch, long cpuNanos, long atNanos) {}

  private final Map<Integer, Used> before = new HashMap<>();

  @Override
  public Integer call() throws InterruptedException {
    try (Daemon connection = daemon.connect()) {
      for (long left = count; left > 0; left--) {
        show(connection);
        if (left > 1) {
          Thread.sleep(every);
        }
      }
      return ClientExit.OK;
    }
  }

  /** A machine and the share of one processor that it uses. */
  private record Row(VmInfo vm, double share) {}

  private void show(Daemon connection) {
    List<VmInfo> vms = connection.show("");
    List<NodeInfo> nodes =
        connection.ask(s -> s.nodes(NodesRequest.getDefaultInstance())).getNodesList();
    List<Row> rows =
        vms.stream()
            .filter(vm -> vm.getState() != VmState.VM_STATE_ENDED)
            .map(vm -> new Row(vm, share(vm)))
            .sorted(
                Comparator.comparingDouble((Row r) -> -r.share).thenComparingInt(r -> r.vm.getId()))
            .toList();
    if (!output.forPeople()) {
      System.out.print(output.format().writePart(value(nodes, rows)));
    } else {
      String screen = head(nodes, vms) + table().write(rows);
      System.out.print((count > 1 && Terminal.isOutputTerminal() ? CLEAR : "") + screen);
    }
    System.out.flush();
  }

  private double share(VmInfo vm) {
    long now = System.nanoTime();
    Used last = before.put(vm.getId(), new Used(vm.getEpoch(), vm.getCpuNanos(), now));
    if (last != null && last.epoch == vm.getEpoch() && now > last.atNanos) {
      return Math.max(0, vm.getCpuNanos() - last.cpuNanos) / (double) (now - last.atNanos);
    }
    double millis = System.currentTimeMillis() - vm.getStartedMillis();
    return vm.getStartedMillis() == 0 || millis <= 0 ? 0 : vm.getCpuNanos() / (millis * 1e6);
  }

  private static String head(List<NodeInfo> nodes, List<VmInfo> vms) {
    long running = vms.stream().filter(vm -> vm.getState() == VmState.VM_STATE_RUNNING).count();
    long up = nodes.stream().filter(n -> n.getState() == NodeInfo.State.STATE_UP).count();
    long cores = nodes.stream().mapToLong(n -> Integer.toUnsignedLong(n.getCores())).sum();
    long memory = nodes.stream().mapToLong(NodeInfo::getMemoryBytes).sum();
    long reserved = nodes.stream().mapToLong(NodeInfo::getMemoryReservedBytes).sum();
    return "%d vms, %d running; %d nodes, %d up; %d cores; memory %s of %s%n%n"
        .formatted(
            vms.size(),
            running,
            nodes.size(),
            up,
            cores,
            Texts.memory(reserved),
            Texts.memory(memory));
  }

  private static Table<Row> table() {
    return new Table<Row>()
        .column("ID", 5, r -> Integer.toUnsignedString(r.vm.getId()))
        .column("STATE", 8, r -> Values.state(r.vm.getState()))
        .column("VCPUS", 5, r -> Integer.toUnsignedString(r.vm.getSpec().getCpus()))
        .column("CPU%", 6, r -> String.format(Locale.ROOT, "%.1f", r.share * 100))
        .column("TIME", 8, r -> Texts.time(Duration.ofNanos(r.vm.getCpuNanos())))
        .column("MAXMEM", 7, r -> Texts.memory(r.vm.getSpec().getMemoryBytes()))
        .column("CURMEM", 7, r -> Texts.memory(r.vm.getCurrentMemoryBytes()))
        .column("NODE", -10, r -> VmTable.dash(r.vm.getNode()))
        .column("OWNER", -10, r -> VmTable.dash(r.vm.getOwner()))
        .column("NAME", -1, r -> r.vm.getName());
  }

  private static Value value(List<NodeInfo> nodes, List<Row> rows) {
    return new Value.FieldsBuilder()
        .put("nodes", Values.nodes(nodes))
        .put(
            "vms",
            new Value.Items(
                rows.stream()
                    .<Value>map(
                        r ->
                            new Value.FieldsBuilder()
                                .put(
                                    "cpu_percent",
                                    new Value.Digits(
                                        String.format(Locale.ROOT, "%.1f", r.share * 100)))
                                .put("vm", Values.vm(r.vm))
                                .build())
                    .toList()))
        .build();
  }
}
