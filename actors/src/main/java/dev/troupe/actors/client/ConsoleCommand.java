package dev.troupe.actors.client;

import dev.troupe.actors.cli.SizeConverter;
import dev.troupe.proto.vmd.OpenConsole;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl console}. */
@Command(
    description = {
      "Connects this terminal to a machine's console.",
      "Ctrl-], or ~. at the beginning of a line, leaves. Several may watch, one types."
    },
    mixinStandardHelpOptions = true)
final class ConsoleCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Option(names = "--watch", description = "Only watch.")
  private boolean watch;

  @Option(names = "--force", description = "Type, even if somebody else does: he goes on watching.")
  private boolean force;

  @Option(
      names = "--scrollback",
      paramLabel = "SIZE",
      converter = ScrollbackConverter.class,
      defaultValue = "64K",
      description =
          "Begin with so much of what came before, with K or M, as far as it is kept; 0 for none;"
              + " default ${DEFAULT-VALUE}.")
  private long scrollback;

  @Mixin private DaemonOptions daemon;

  @Override
  public Integer call() {
    Names.check(name);
    try (Daemon connection = daemon.connect()) {
      return ConsoleClient.run(
          connection,
          OpenConsole.newBuilder()
              .setVm(name)
              .setWrite(!watch)
              .setForce(force && !watch)
              .setScrollback(scrollback)
              .build());
    }
  }

  /** A size, or 0. */
  static final class ScrollbackConverter implements picocli.CommandLine.ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return text.equals("0") ? Long.valueOf(0) : new SizeConverter().convert(text);
    }
  }
}
