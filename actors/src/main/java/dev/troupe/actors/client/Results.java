package dev.troupe.actors.client;

import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import java.util.function.UnaryOperator;

/** Has commands done, and says what came of them. */
final class Results {
  private Results() {}

  /**
   * Has one command done.
   *
   * @param done what is said of it when it is done; given the machine's number
   * @return the exit code
   */
  static int of(
      Daemon daemon, Command command, DaemonOptions.Output output, UnaryOperator<String> done) {
    CommandResult result = daemon.submit(command);
    output.print(Values.result(result));
    if (output.forPeople()) {
      Notices.say(text(result, done));
    }
    return exitCode(result);
  }

  /** What is said of a result. */
  static String text(CommandResult result, UnaryOperator<String> done) {
    String id = Integer.toUnsignedString(result.getVm().getId());
    String given = result.getText();
    return switch (result.getKind()) {
      case KIND_DONE -> done.apply(id);
      case KIND_WAITS -> "vm %s waits: %s".formatted(id, given);
      case KIND_ALREADY -> given.isEmpty() ? "it is so already" : given;
      case KIND_SUPERSEDED -> given.isEmpty() ? "given up for a later command" : given;
      case KIND_FAILED -> given.isEmpty() ? "failed" : given;
      case KIND_UNSPECIFIED, UNRECOGNIZED -> "the daemon's answer is not known: " + given;
    };
  }

  static int exitCode(CommandResult result) {
    return switch (result.getKind()) {
      case KIND_DONE, KIND_WAITS, KIND_ALREADY -> ClientExit.OK;
      default -> ClientExit.FAILED;
    };
  }
}
