package dev.troupe.actors.vmd;

import dev.troupe.actors.client.Client;
import dev.troupe.actors.vmd.door.Door;
import dev.troupe.actors.vmd.door.DoorLimits;
import dev.troupe.actors.vmd.door.LogRing;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Some commands of vmctl against a real door with one invented machine behind it, in one process:
 * what the launcher lets the JVM learn from which classes vmctl needs. It leaves nothing behind.
 */
public final class Rehearsal {
  private static final List<List<String>> COMMANDS =
      List.of(
          List.of("show"),
          List.of("show", "-w", "rehearsal"),
          List.of("status", "--format", "json"),
          List.of("start", "-m", "64M", "-p", "1", "rehearsal"),
          List.of("pause", "rehearsal"),
          List.of("stop", "-w", "rehearsal"),
          List.of("node", "list"));

  private Rehearsal() {}

  /** Runs the commands. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createTempDirectory("troupe");
    Path socket = folder.resolve("vmd.sock");
    try (LogRing log = LogRing.install();
        Door door = Door.open(socket, Optional.empty(), new One(), log, DoorLimits.DEFAULT)) {
      for (List<String> command : COMMANDS) {
        Client.execute(
            java.util.stream.Stream.concat(
                    command.stream(), java.util.stream.Stream.of("--socket", socket.toString()))
                .toArray(String[]::new));
      }
    } finally {
      try (var left = Files.list(folder)) {
        for (Path file : left.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  /** Knows one machine, and answers everything at once. */
  private static final class One implements Control {
    private static final VmInfo VM =
        VmInfo.newBuilder()
            .setId(1)
            .setName("rehearsal")
            .setOwner("root")
            .setState(VmState.VM_STATE_RUNNING)
            .setNode("n1")
            .setSpec(VmSpec.newBuilder().setCpus(1).setMemoryBytes(64 << 20))
            .build();

    @Override
    public CompletionStage<CommandResult> submit(Caller caller, Command command) {
      return CompletableFuture.completedFuture(
          CommandResult.newBuilder()
              .setId(command.getId())
              .setKind(CommandResult.Kind.KIND_DONE)
              .setVm(VM)
              .build());
    }

    @Override
    public CompletionStage<List<VmInfo>> show(Caller caller, String vm) {
      return CompletableFuture.completedFuture(List.of(VM));
    }

    @Override
    public CompletionStage<VmInfo> await(Caller caller, String vm) {
      return CompletableFuture.completedFuture(VM);
    }

    @Override
    public CompletionStage<List<NodeInfo>> nodes(Caller caller) {
      return CompletableFuture.completedFuture(
          List.of(NodeInfo.newBuilder().setName("n1").build()));
    }

    @Override
    public CompletionStage<Explanation> explain(Caller caller, ExplainRequest request) {
      return CompletableFuture.completedFuture(Explanation.getDefaultInstance());
    }

    @Override
    public ConsoleSession console(Caller caller, OpenConsole open, ConsoleWatcher watcher) {
      throw new ControlException(ControlException.Kind.NOT_FOUND, "there is no console here");
    }

    @Override
    public AutoCloseable events(Caller caller, Consumer<VmEvent> listener) {
      return () -> {};
    }
  }
}
