package dev.troupe.actors.client;

import dev.troupe.actors.cli.Output;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;

/** The entry of what the daemon does for vmctl. */
public final class Client {
  /** gRPC and netty talk about what the user is told in our words. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private static final Logger NETTY = Logger.getLogger("io.netty");

  private Client() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    // At once: what else there is are threads of the connection.
    Runtime.getRuntime().halt(written(execute(arguments)));
  }

  /** The exit code, unless a command that has done well has printed into nothing. */
  private static int written(int exitCode) {
    Optional<String> lost = Output.lost();
    lost.ifPresent(Notices::say);
    System.err.flush();
    return lost.isPresent() && exitCode == 0 ? ClientExit.INTERNAL : exitCode;
  }

  /** Runs one command, and returns its exit code. */
  public static int execute(String... arguments) {
    // By slf4j it would start Logback, which takes longer than all the rest.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    GRPC.setLevel(Level.OFF);
    NETTY.setLevel(Level.OFF);
    try {
      if (arguments.length == 0) {
        throw new ClientException(ClientExit.USAGE, "no command given; see vmctl help");
      }
      if (arguments[0].startsWith("-")) {
        throw new ClientException(
            ClientExit.USAGE,
            "'%s' before the command: options come behind it; see vmctl help"
                .formatted(arguments[0].replaceAll("\\p{Cntrl}", "?")));
      }
      CommandName name = CommandName.find(arguments[0]);
      if (!name.isThin()) {
        throw new ClientException(
            ClientExit.INTERNAL, "%s is not done by this process".formatted(name.text()));
      }
      return commandLine(name).execute(Arrays.copyOfRange(arguments, 1, arguments.length));
    } catch (ClientException e) {
      return complain(e);
    } catch (Error e) {
      return internal(e);
    }
  }

  /** The one command's line: of the others nothing is looked at. */
  static CommandLine commandLine(CommandName name) {
    Callable<Integer> command = name.make();
    return new CommandLine(command)
        .setCommandName("vmctl " + name.text())
        .setAbbreviatedSubcommandsAllowed(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(
            (e, given) -> complain(new ClientException(ClientExit.USAGE, e.getMessage())))
        .setExecutionExceptionHandler(
            (e, line, result) -> e instanceof ClientException user ? complain(user) : internal(e));
  }

  private static int complain(ClientException e) {
    Notices.say(e.getMessage());
    return e.exitCode();
  }

  private static int internal(Throwable e) {
    Notices.say("internal error: " + e);
    if (System.getenv("TROUPE_DEBUG") != null) {
      e.printStackTrace();
    }
    return ClientExit.INTERNAL;
  }
}
