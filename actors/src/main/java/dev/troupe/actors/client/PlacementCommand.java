package dev.troupe.actors.client;

import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl placement}. */
@Command(
    description = "Which node a machine runs on, and why.",
    mixinStandardHelpOptions = true,
    subcommands = PlacementCommand.Explain.class)
final class PlacementCommand implements Callable<Integer> {
  @Spec private CommandSpec command;

  @Override
  public Integer call() {
    throw new ParameterException(command.commandLine(), "placement: give explain");
  }

  /** {@code vmctl placement explain}. */
  @Command(
      name = "explain",
      description = {
        "Says of each node whether a machine fits there, and how well. The options describe one",
        "that there is not, or change one that there is; nothing is started."
      },
      mixinStandardHelpOptions = true)
  static final class Explain implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
    private String name;

    @Mixin private SpecOptions spec;
    @Mixin private DaemonOptions daemon;
    @Mixin private DaemonOptions.Output output;

    @Override
    public Integer call() {
      Names.check(name);
      ExplainRequest request =
          ExplainRequest.newBuilder().setVm(name).setSpec(spec.spec(name)).build();
      try (Daemon connection = daemon.connect()) {
        Explanation explanation = connection.ask(s -> s.explain(request));
        output.print(Values.explanation(name, explanation));
        if (output.forPeople()) {
          System.out.print(
              new Table<Explanation.Score>()
                  .column(
                      "NODE",
                      -12,
                      s -> s.getNode() + (s.getNode().equals(explanation.getChosen()) ? "*" : ""))
                  .column("FITS", -4, s -> s.getFits() ? "yes" : "no")
                  .column("SCORE", 6, s -> s.getFits() ? Long.toString(s.getScore()) : "-")
                  .column("WHY", -1, s -> String.join("; ", s.getReasonsList()))
                  .write(explanation.getNodesList()));
          if (explanation.getChosen().isEmpty()) {
            Notices.say("vm %s fits nowhere".formatted(name));
          }
        }
        return ClientExit.OK;
      }
    }
  }
}
