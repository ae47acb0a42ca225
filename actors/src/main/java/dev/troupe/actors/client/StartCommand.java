package dev.troupe.actors.client;

import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.StartVm;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl start}. */
@Command(
    description = {
      "Starts a machine: a new one, or one that has stopped.",
      "What is not given is as it was, or has its default: one CPU, 512M."
    },
    mixinStandardHelpOptions = true)
final class StartCommand implements Callable<Integer> {
  /** Of what the guest has said by the time that the console is open. */
  private static final long SCROLLBACK = 1 << 20;

  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Option(
      names = {"-c", "--console"},
      description = "Connect to its console; Ctrl-] or ~. leaves.")
  private boolean console;

  @Option(
      names = {"-t", "--template"},
      paramLabel = "NAME",
      description = "Begin with another machine's settings.")
  private String template;

  @Mixin private SpecOptions spec;
  @Mixin private MissingOptions missing;
  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Id id;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    missing.refuse();
    Names.check(name);
    StartVm.Builder start = StartVm.newBuilder().setVm(name).setSpec(spec.spec(name));
    if (template != null) {
      start.setLike(template);
    }
    try (Daemon connection = daemon.connect()) {
      CommandResult result = connection.submit(id.command().setStart(start).build());
      output.print(Values.result(result));
      if (output.forPeople()) {
        Notices.say(Results.text(result, vm -> "started vm " + vm + " successfully"));
      }
      boolean runs =
          result.getKind() == CommandResult.Kind.KIND_DONE
              || result.getKind() == CommandResult.Kind.KIND_WAITS;
      if (console && runs) {
        return ConsoleClient.run(
            connection,
            OpenConsole.newBuilder().setVm(name).setWrite(true).setScrollback(SCROLLBACK).build());
      }
      // Its settings may be others than those that were asked for.
      return runs ? ClientExit.OK : ClientExit.FAILED;
    }
  }
}
