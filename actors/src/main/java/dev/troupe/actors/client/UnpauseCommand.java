package dev.troupe.actors.client;

import dev.troupe.proto.vmd.UnpauseVm;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vmctl unpause}. */
@Command(description = "Lets a paused machine go on.", mixinStandardHelpOptions = true)
final class UnpauseCommand implements Callable<Integer> {
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
          id.command().setUnpause(UnpauseVm.newBuilder().setVm(name)).build(),
          output,
          vm -> "unpaused vm " + vm + " successfully");
    }
  }
}
