package dev.troupe.actors.client;

import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.WaitRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl stop}. */
@Command(
    description = "Asks a machine's guest to shut down, or all of them.",
    mixinStandardHelpOptions = true)
final class StopCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "NAME",
      description = "The machine's name, or its number.")
  private String name;

  @Option(
      names = {"-a", "--all"},
      description = "All machines that run and that you may stop.")
  private boolean all;

  @Option(
      names = {"-f", "--force"},
      description = "At once, without asking the guest.")
  private boolean force;

  @Option(
      names = {"-w", "--wait"},
      description = "Wait until it has stopped.")
  private boolean wait;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Id id;
  @Mixin private DaemonOptions.Output output;

  @Spec private CommandSpec command;

  @Override
  public Integer call() {
    if (all == (name != null)) {
      throw new ParameterException(
          command.commandLine(), all ? "give NAME or -a, not both" : "give NAME, or -a for all");
    }
    if (all && id.given()) {
      throw new ParameterException(command.commandLine(), "--id is for one command, -a makes many");
    }
    if (name != null) {
      Names.check(name);
    }
    try (Daemon connection = daemon.connect()) {
      int worst = ClientExit.OK;
      List<Value> results = new ArrayList<>();
      List<CommandResult> asked = new ArrayList<>();
      for (String vm : all ? running(connection) : List.of(name)) {
        try {
          CommandResult result = ask(connection, vm);
          worst = Math.max(worst, Results.exitCode(result));
          results.add(Values.result(result));
          asked.add(result);
        } catch (ClientException e) {
          if (!all || e.exitCode() == ClientExit.UNAVAILABLE) {
            throw named(vm, e);
          }
          Notices.line(named(vm, e).getMessage());
          worst = Math.max(worst, e.exitCode());
        }
      }
      if (wait) {
        asked.stream()
            .filter(r -> Results.exitCode(r) == ClientExit.OK)
            .forEach(r -> await(connection, r.getVm()));
      }
      output.print(all ? new Value.Items(results) : results.getFirst());
      return worst;
    }
  }

  /** In the words of OpenBSD's. */
  private static ClientException named(String vm, ClientException e) {
    return e.exitCode() == ClientExit.NOT_FOUND
        ? new ClientException(e.exitCode(), "stopping vm %s: vm not found".formatted(vm))
        : e;
  }

  private static List<String> running(Daemon connection) {
    return connection.show("").stream()
        .filter(vm -> vm.getState() != VmState.VM_STATE_ENDED)
        .map(VmInfo::getName)
        .toList();
  }

  private CommandResult ask(Daemon connection, String vm) {
    CommandResult result =
        connection.submit(
            id.command().setStop(StopVm.newBuilder().setVm(vm).setForce(force)).build());
    if (output.forPeople()) {
      boolean waits = wait && !force;
      if (!waits || result.getKind() != CommandResult.Kind.KIND_DONE) {
        String done = force ? "forced to terminate vm " : "requested to shutdown vm ";
        Notices.line("stopping vm %s: %s".formatted(vm, Results.text(result, n -> done + n)));
      }
    }
    return result;
  }

  private void await(Daemon connection, VmInfo vm) {
    String name = vm.getName();
    VmInfo ended = connection.ask(s -> s.wait(WaitRequest.newBuilder().setVm(name).build()));
    if (output.forPeople()) {
      Notices.line(
          "stopping vm %s: terminated vm %s"
              .formatted(name, Integer.toUnsignedString(ended.getId())));
    }
  }
}
