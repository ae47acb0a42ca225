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
 * Some commands of vmctl against a real door with one invented machine behind it: what the launcher
 * lets the JVM learn from which classes vmctl needs. The door is in a process of its own, as vmctl
 * has no use for its classes, and would load all that it has learnt. It leaves nothing behind.
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
          List.of("placement", "explain", "rehearsal"),
          List.of("node", "list"));

  private Rehearsal() {}

  /** Runs the commands; given a socket, it is the door for them, until its input ends. */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length > 0) {
      serve(Path.of(arguments[0]));
      return;
    }
    Path folder = Files.createTempDirectory("troupe");
    Path socket = folder.resolve("vmd.sock");
    Process door =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Rehearsal.class.getName(),
                socket.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      if (door.getInputStream().read() < 0) {
        throw new IOException("the door does not open");
      }
      for (List<String> command : COMMANDS) {
        Client.execute(
            java.util.stream.Stream.concat(
                    command.stream(), java.util.stream.Stream.of("--socket", socket.toString()))
                .toArray(String[]::new));
      }
    } finally {
      door.getOutputStream().close();
      door.onExit().join();
      try (var left = Files.list(folder)) {
        for (Path file : left.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static void serve(Path socket) throws IOException {
    try (LogRing log = LogRing.install();
        Door door = Door.open(socket, Optional.empty(), new One(), log, DoorLimits.DEFAULT)) {
      System.out.write('\n');
      System.out.flush();
      while (System.in.read() >= 0) {
        // It goes on.
      }
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
