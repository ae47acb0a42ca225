package dev.troupe.actors.client;

import dev.troupe.proto.vmd.PauseVm;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vmctl pause}. */
@Command(description = "Stops a machine's time.", mixinStandardHelpOptions = true)
final class PauseCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Id id;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    Names.check(name);
    try (Daemon connection = daemon.connect()) {
      return Results.of(
          connection,
          id.command().setPause(PauseVm.newBuilder().setVm(name)).build(),
          output,
          vm -> "paused vm " + vm + " successfully");
    }
  }
}
