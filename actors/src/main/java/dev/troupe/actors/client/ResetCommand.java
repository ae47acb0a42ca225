package dev.troupe.actors.client;

import dev.troupe.proto.vmd.ResetVm;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vmctl reset}. */
@Command(description = "Resets a machine, as its button would.", mixinStandardHelpOptions = true)
final class ResetCommand implements Callable<Integer> {
  /** What OpenBSD's vmctl resets: all that vm.conf describes, not a machine. */
  private static final Set<String> WHOLE = Set.of("all", "switches", "vms");

  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Id id;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    Names.check(name);
    if (WHOLE.contains(name)) {
      throw MissingCommand.missing("reset " + name, "vm.conf");
    }
    try (Daemon connection = daemon.connect()) {
      return Results.of(
          connection,
          id.command().setReset(ResetVm.newBuilder().setVm(name)).build(),
          output,
          vm -> "reset vm " + vm + " successfully");
    }
  }
}
