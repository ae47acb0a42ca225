package dev.troupe.actors.vmd;

import dev.troupe.actors.vmd.local.LocalCluster;
import dev.troupe.config.ConfigurationException;
import dev.troupe.config.NodeConfiguration;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The daemon's entry. */
@Command(
    name = "vmd",
    description = "Runs a node: a daemon that vmctl talks to.",
    mixinStandardHelpOptions = true,
    version = "vmd (Troupe) 0.1.0")
public final class Vmd implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(Vmd.class);

  @Option(names = "-d", description = "Stay in the foreground; log to standard error.")
  private boolean foreground;

  @Option(names = "-n", description = "Only check the configuration.")
  private boolean check;

  @Option(names = "-v", description = "Log in detail.")
  private boolean verbose;

  @Option(names = "-f", paramLabel = "FILE", description = "The configuration file.")
  private Path file;

  @Option(
      names = "-D",
      paramLabel = "macro=value",
      description = "A value for the configuration; comes before the file's.")
  private Map<String, String> definitions = new LinkedHashMap<>();

  @Option(names = "--end-with-input", hidden = true, description = "Stop when standard input ends.")
  private boolean endWithInput;

  private final NodeServices.Factory services;

  private Vmd(NodeServices.Factory services) {
    this.services = services;
  }

  @Override
  public Integer call() throws ConfigurationException, VmdException, InterruptedException {
    NodeConfiguration configuration =
        NodeConfiguration.load(Optional.ofNullable(file), definitions);
    PrintStream out = System.out;
    if (check) {
      out.println("configuration OK");
      return VmdExit.OK;
    }
    Logging.configure(configuration.log(), foreground, verbose);
    StopSignals signals = StopSignals.install();
    if (endWithInput) {
      endWithInput(signals);
    }
    try {
      return NodeProcess.run(configuration, reloading(), signals, out);
    } finally {
      Logging.close();
    }
  }

  private NodeServices.Factory reloading() {
    return (context, configuration, store) -> {
      NodeServices started = services.start(context, configuration, store);
      StopSignals.onReload(() -> reload(started));
      return started;
    };
  }

  private void reload(NodeServices started) {
    try {
      NodeConfiguration again = NodeConfiguration.load(Optional.ofNullable(file), definitions);
      started.reload(again);
      LOG.info(
          "configuration read again: offers {} bytes of memory and {} cores",
          again.offer().memory(),
          again.offer().cores());
    } catch (ConfigurationException e) {
      e.problems().forEach(problem -> LOG.error("configuration as it was: {}", problem));
    }
  }

  private static void endWithInput(StopSignals signals) {
    Thread.ofPlatform()
        .daemon()
        .name("troupe-input")
        .start(
            () -> {
              try {
                System.in.transferTo(OutputStream.nullOutputStream());
              } catch (IOException e) {
                // as good as its end
              }
              signals.stop("standard input has ended");
            });
  }

  /** Runs a node, and ends the process with its exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine(ClusterServices::start).execute(arguments));
  }

  /**
   * The command line.
   *
   * @param services what a node does
   */
  public static CommandLine commandLine(NodeServices.Factory services) {
    return new CommandLine(new Vmd(services))
        .addSubcommand(new LocalCluster())
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(Vmd::usage)
        .setExecutionExceptionHandler((e, line, result) -> failed(e));
  }

  private static int usage(ParameterException e, String[] given) {
    complain(e.getMessage());
    return VmdExit.USAGE;
  }

  private static int failed(Exception e) {
    return switch (e) {
      case ConfigurationException bad -> {
        bad.problems().forEach(Vmd::complain);
        yield VmdExit.CONFIGURATION;
      }
      case VmdException known -> {
        complain(known.getMessage());
        yield known.exit();
      }
      default -> {
        complain("internal error: " + e);
        if (System.getenv("TROUPE_DEBUG") != null) {
          e.printStackTrace();
        }
        yield VmdExit.INTERNAL;
      }
    };
  }

  /** One line on standard error. */
  private static void complain(String message) {
    System.err.println("vmd: " + message.lines().findFirst().orElse("failed"));
    System.err.flush();
  }
}
