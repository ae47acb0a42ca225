package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Output;
import dev.troupe.actors.client.CommandName;
import java.io.PrintStream;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line's entry. Subcommands may be abbreviated as long as they are unambiguous. */
@Command(
    name = "vmctl",
    description = "Runs and controls virtual machines.",
    mixinStandardHelpOptions = true,
    version = "vmctl (Troupe) 0.1.0",
    subcommands = {
      RunCommand.class,
      ReplayCommand.class,
      ExploreCommand.class,
      JournalCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Vmctl implements Runnable {
  private static final Pattern HELP = Pattern.compile("-|he?l?p?$");

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given; see vmctl help");
  }

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    // Ends at once: no thread of ours has anything left to do, and guests' threads are daemons.
    Runtime.getRuntime().exit(written(execute(arguments)));
  }

  /** The exit code, unless a command that has done well has printed into nothing. */
  private static int written(int exitCode) {
    Optional<String> lost = Output.lost();
    lost.ifPresent(Vmctl::complain);
    return lost.isPresent() && exitCode == 0 ? ExitCode.INTERNAL : exitCode;
  }

  /** Runs one command. */
  static int execute(String... arguments) {
    CommandLine line = commandLine();
    // Who runs a guest shall not wait for what only help names.
    boolean help = arguments.length > 0 && HELP.matcher(arguments[0]).lookingAt();
    if (help) {
      daemonCommands(line);
    }
    return execute(line, arguments);
  }

  /** What the daemon does, too, which another process asks it for. */
  private static void daemonCommands(CommandLine line) {
    for (CommandName name : CommandName.values()) {
      if (name.isThin()) {
        line.addSubcommand(name.text(), name.make());
      }
    }
  }

  static int execute(CommandLine line, String... arguments) {
    try {
      return line.execute(arguments);
    } catch (Error e) { // picocli hands on what is no Exception, and guests' threads would go on
      return internal(e);
    }
  }

  static CommandLine commandLine() {
    return new CommandLine(new Vmctl())
        .setAbbreviatedSubcommandsAllowed(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(
            (e, given) -> {
              complain(e.getMessage());
              return ExitCode.USAGE;
            })
        .setExecutionExceptionHandler(
            (e, line, result) -> {
              if (e instanceof UserException user) {
                complain(user.getMessage());
                return user.exitCode();
              }
              return internal(e);
            });
  }

  private static int internal(Throwable e) {
    complain("internal error: " + e);
    if (System.getenv("TROUPE_DEBUG") != null) {
      e.printStackTrace();
    }
    return ExitCode.INTERNAL;
  }

  /** One line on standard error. */
  static void complain(String message) {
    PrintStream err = System.err;
    err.println("vmctl: " + message.lines().findFirst().orElse("failed"));
    err.flush();
  }
}
