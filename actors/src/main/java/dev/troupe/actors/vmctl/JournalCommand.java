package dev.troupe.actors.vmctl;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vmctl journal}: what is in a journal. */
@Command(
    name = "journal",
    description = "Shows, compares and converts recorded runs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      JournalShow.class,
      JournalGrep.class,
      JournalStat.class,
      JournalDiff.class,
      JournalBisect.class,
      JournalEdit.class,
      JournalExport.class,
      CommandLine.HelpCommand.class
    })
final class JournalCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given; see vmctl journal help");
  }
}
