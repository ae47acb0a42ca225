package dev.troupe.actors.client;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The commands of vmctl, by the process that does them. Here are all names, so that a prefix is
 * unambiguous among all of them; {@code build/launcher.sh} has those of the other process, too.
 */
@SuppressWarnings("ImmutableEnumChecker") // constructors, which hold nothing
public enum CommandName {
  START(StartCommand::new),
  DEFINE(DefineCommand::new),
  STOP(StopCommand::new),
  SHOW(ShowCommand::new),
  STATUS(ShowCommand::new),
  CONSOLE(ConsoleCommand::new),
  PAUSE(PauseCommand::new),
  UNPAUSE(UnpauseCommand::new),
  RESET(ResetCommand::new),
  WAIT(WaitCommand::new),
  LOG(LogCommand::new),
  NODE(NodeCommand::new),
  PLACEMENT(PlacementCommand::new),
  EVENTS(EventsCommand::new),
  TOP(TopCommand::new),
  CREATE(() -> new MissingCommand("disks")),
  LOAD(() -> new MissingCommand("vm.conf")),
  RELOAD(() -> new MissingCommand("vm.conf")),
  SEND(() -> new MissingCommand("sending machines")),
  RECEIVE(() -> new MissingCommand("receiving machines")),
  RUN(null),
  REPLAY(null),
  JOURNAL(null),
  EXPLORE(null),
  HELP(null);

  private final Supplier<Callable<Integer>> command;

  CommandName(Supplier<Callable<Integer>> command) {
    this.command = command;
  }

  /** As it is typed. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether the thin client does it. */
  public boolean isThin() {
    return command != null;
  }

  /** A new one of it, for picocli; only of those that the thin client does. */
  public Callable<Integer> make() {
    return command.get();
  }

  /**
   * The command that was typed, in full or so much of it that it can be no other.
   *
   * @throws ClientException if it can be several or none
   */
  static CommandName find(String typed) {
    List<CommandName> begun =
        Arrays.stream(values()).filter(c -> c.text().startsWith(typed)).toList();
    Optional<CommandName> whole = begun.stream().filter(c -> c.text().equals(typed)).findFirst();
    if (whole.isPresent()) {
      return whole.get();
    }
    if (begun.size() == 1) {
      return begun.getFirst();
    }
    String shown = typed.replaceAll("\\p{Cntrl}", "?");
    throw new ClientException(
        ClientExit.USAGE,
        typed.isEmpty() || begun.isEmpty()
            ? "no command is called '%s'; see vmctl help".formatted(shown)
            : "'%s' is ambiguous: %s"
                .formatted(
                    shown,
                    begun.stream().map(CommandName::text).collect(Collectors.joining(", "))));
  }
}
