package dev.troupe.actors.client;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** A command of OpenBSD's vmctl that Troupe does not have yet: says so, whatever it is given. */
@Command(description = "Not there yet.", hidden = true)
final class MissingCommand implements Callable<Integer> {
  private final String what;

  @Spec private CommandSpec spec;

  @SuppressWarnings("UnusedVariable") // they may be anything
  @Unmatched
  private List<String> arguments;

  MissingCommand(String what) {
    this.what = what;
  }

  @Override
  public Integer call() {
    String name = spec.name();
    throw missing(name.substring(name.lastIndexOf(' ') + 1), what);
  }

  static ClientException missing(String words, String what) {
    return new ClientException(
        ClientExit.UNSUPPORTED, "%s: Troupe does not have %s yet".formatted(words, what));
  }
}
