package dev.troupe.actors.vmctl;

import dev.troupe.actors.fault.FaultSyntax;
import dev.troupe.actors.journal.RecordEdit;
import dev.troupe.actors.journal.Where;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a replay becomes a run of its own. */
final class BranchOptions {
  private static final Pattern AFTER = Pattern.compile("(^|\\s)after=");

  @Option(names = "--live", description = "From --to on, go on live: the console is this terminal.")
  private boolean live;

  @Option(
      names = "--edit",
      paramLabel = "FIELD=VALUE",
      description = "Change the message of --to m:N: payload.value=0x41, high=true.")
  private String edit;

  @Option(
      names = "--record",
      paramLabel = "COPY",
      description = "Record the new run, the replayed part included.")
  private Path record;

  @Mixin private FaultOptions faults;

  boolean given() {
    return live || edit != null || record != null || faults.given();
  }

  /** What the user asked for that makes no sense; empty if nothing. */
  Optional<String> complaint(Where to, boolean whole) {
    if (!given()) {
      return Optional.empty();
    }
    if (to == null) {
      return Optional.of(
          "--live, --edit, --fault and --record need --to: where the run is its own");
    }
    if (!whole) {
      return Optional.of("--live, --edit, --fault and --record are not for --break and --only");
    }
    if (edit != null) {
      if (!(to instanceof Where.Messages)) {
        return Optional.of("--edit needs --to m:N: which message");
      }
      try {
        RecordEdit.parse(edit);
      } catch (IllegalArgumentException e) {
        return Optional.of("--edit " + e.getMessage());
      }
    }
    return live || edit != null || faults.given()
        ? Optional.empty()
        : Optional.of("--record is for --live, --edit and --fault");
  }

  boolean live() {
    return live;
  }

  boolean edits() {
    return edit != null;
  }

  Optional<Path> record() {
    return Optional.ofNullable(record);
  }

  /**
   * The rules that the run gets at its branch.
   *
   * @param actors the machine's
   * @throws UserException if one is none
   */
  List<String> rules(Where from, List<String> actors) {
    List<String> rules = new ArrayList<>();
    if (edit != null && from instanceof Where.Messages(long number)) {
      RecordEdit change = RecordEdit.parse(edit);
      String value = change.value().replace(" ", "\\x20").replace("\t", "\\t");
      rules.add("corrupt m=%d %s:=%s".formatted(number, change.field(), value));
    }
    for (String rule : faults.rules()) {
      rules.add(AFTER.matcher(rule).find() ? rule : rule + " after=" + from);
    }
    try {
      var _ = FaultSyntax.parse(rules, actors);
    } catch (IllegalArgumentException e) {
      throw new UserException(ExitCode.USAGE, e.getMessage());
    }
    return rules;
  }
}
