package dev.troupe.actors.client;

import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.StartVm;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl define}. */
@Command(
    description = {
      "Makes a machine known and chooses a node for it, without starting it; or changes one that",
      "has stopped. What is not given is as it was, or has its default: one CPU, 512M."
    },
    mixinStandardHelpOptions = true)
final class DefineCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Option(
      names = {"-t", "--template"},
      paramLabel = "NAME",
      description = "Begin with another machine's settings.")
  private String template;

  @Mixin private SpecOptions spec;
  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Id id;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    Names.check(name);
    StartVm.Builder define = StartVm.newBuilder().setVm(name).setSpec(spec.spec(name));
    if (template != null) {
      define.setLike(template);
    }
    try (Daemon connection = daemon.connect()) {
      CommandResult result = connection.submit(id.command().setDefine(define).build());
      output.print(Values.result(result));
      if (output.forPeople()) {
        Notices.say(
            Results.text(result, vm -> "defined vm %s: %s".formatted(vm, result.getText())));
      }
      return Results.exitCode(result);
    }
  }
}
