package dev.troupe.actors.client;

import dev.troupe.proto.vmd.DrainNode;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.NodesRequest;
import dev.troupe.proto.vmd.UndrainNode;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl node}. */
@Command(
    description = "The nodes that machines run on.",
    mixinStandardHelpOptions = true,
    subcommands = {NodeCommand.ListNodes.class, NodeCommand.Drain.class, NodeCommand.Undrain.class})
final class NodeCommand implements Callable<Integer> {
  @Spec private CommandSpec command;

  @Override
  public Integer call() {
    throw new ParameterException(command.commandLine(), "node: give list, drain or undrain");
  }

  /** {@code vmctl node list}. */
  @Command(name = "list", description = "Lists the nodes.", mixinStandardHelpOptions = true)
  static final class ListNodes implements Callable<Integer> {
    @Mixin private DaemonOptions daemon;
    @Mixin private DaemonOptions.Output output;

    @Override
    public Integer call() {
      try (Daemon connection = daemon.connect()) {
        List<NodeInfo> nodes =
            connection.ask(s -> s.nodes(NodesRequest.getDefaultInstance())).getNodesList();
        output.print(Values.nodes(nodes));
        if (output.forPeople()) {
          System.out.print(table().write(nodes));
        }
        return ClientExit.OK;
      }
    }

    private static Table<NodeInfo> table() {
      return new Table<NodeInfo>()
          .column("NAME", -12, n -> n.getName() + (n.getSelf() ? "*" : ""))
          .column("STATE", -11, n -> Values.state(n.getState()))
          .column("VMS", 4, n -> Integer.toUnsignedString(n.getVms()))
          .column(
              "VCPUS/CORES",
              11,
              n ->
                  Integer.toUnsignedString(n.getCoresReserved())
                      + "/"
                      + Integer.toUnsignedString(n.getCores()))
          .column(
              "MEMORY",
              15,
              n ->
                  Texts.memory(n.getMemoryReservedBytes()) + "/" + Texts.memory(n.getMemoryBytes()))
          .column("ADDRESS", -21, NodeInfo::getAddress)
          .column("ENGINES", -22, n -> String.join(",", n.getEnginesList()))
          .column(
              "LABELS",
              -1,
              n ->
                  n.getLabelsMap().entrySet().stream()
                      .map(e -> e.getKey() + "=" + e.getValue())
                      .sorted()
                      .collect(Collectors.joining(",")));
    }
  }

  /** {@code vmctl node drain}. */
  @Command(
      name = "drain",
      description = "Moves a node's machines elsewhere, and places none there.",
      mixinStandardHelpOptions = true)
  static final class Drain implements Callable<Integer> {
    @Parameters(paramLabel = "NODE", description = "The node's name.")
    private String node;

    @Mixin private DaemonOptions daemon;
    @Mixin private DaemonOptions.Id id;
    @Mixin private DaemonOptions.Output output;

    @Override
    public Integer call() {
      try (Daemon connection = daemon.connect()) {
        return Results.of(
            connection,
            id.command().setDrain(DrainNode.newBuilder().setNode(node)).build(),
            output,
            none -> "drained node " + node);
      }
    }
  }

  /** {@code vmctl node undrain}. */
  @Command(
      name = "undrain",
      description = "Lets machines be placed on a node again.",
      mixinStandardHelpOptions = true)
  static final class Undrain implements Callable<Integer> {
    @Parameters(paramLabel = "NODE", description = "The node's name.")
    private String node;

    @Mixin private DaemonOptions daemon;
    @Mixin private DaemonOptions.Id id;
    @Mixin private DaemonOptions.Output output;

    @Override
    public Integer call() {
      try (Daemon connection = daemon.connect()) {
        return Results.of(
            connection,
            id.command().setUndrain(UndrainNode.newBuilder().setNode(node)).build(),
            output,
            none -> "undrained node " + node);
      }
    }
  }
}
