package dev.troupe.actors.client;

import dev.troupe.proto.vmd.LogLine;
import dev.troupe.proto.vmd.LogRequest;
import dev.troupe.proto.vmd.LogRequest.Detail;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl log}. */
@Command(description = "Shows the daemon's log.", mixinStandardHelpOptions = true)
final class LogCommand implements Callable<Integer> {
  /** How much the daemon logs. */
  enum Level {
    BRIEF(Detail.DETAIL_BRIEF),
    VERBOSE(Detail.DETAIL_VERBOSE);

    private final Detail detail;

    Level(Detail detail) {
      this.detail = detail;
    }
  }

  @Parameters(
      arity = "0..1",
      paramLabel = "LEVEL",
      description = "brief or verbose: how much it logs from now on; shows nothing.")
  private Level level;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with what it logs.")
  private boolean follow;

  @Option(
      names = {"-n", "--lines"},
      paramLabel = "N",
      defaultValue = "100",
      description = "So many of the last lines, at most 512; default ${DEFAULT-VALUE}.")
  private int lines;

  @Mixin private DaemonOptions daemon;

  @Override
  public Integer call() {
    boolean show = level == null || follow;
    try (Daemon connection = daemon.connect()) {
      LogRequest.Builder request =
          LogRequest.newBuilder().setLines(show ? Math.max(0, lines) : 0).setFollow(follow);
      if (level != null) {
        request.setDetail(level.detail);
      }
      return connection.ask(
          stub -> {
            Iterator<LogLine> all = stub.log(request.build());
            while (all.hasNext()) {
              System.out.println(printable(all.next().getText()));
              System.out.flush();
            }
            return ClientExit.OK;
          });
    }
  }

  /** What others made the daemon log is not a terminal's to obey. */
  private static String printable(String line) {
    return line.replaceAll("[\\p{Cntrl}&&[^\t]]", "?");
  }
}
