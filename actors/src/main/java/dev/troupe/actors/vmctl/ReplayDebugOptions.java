package dev.troupe.actors.vmctl;

import dev.troupe.actors.debug.DebugServer;
import dev.troupe.actors.debug.ReplayTarget;
import dev.troupe.actors.debug.Replays;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.Where;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How {@code vmctl replay} lets somebody move in the run. */
final class ReplayDebugOptions {
  @Option(
      names = "--gdb",
      paramLabel = "[HOST:]PORT",
      converter = GdbAddress.Converter.class,
      description = {
        "Stand at the first instruction, and let GDB move in the run,",
        "forwards and backwards."
      })
  private GdbAddress gdb;

  @Option(
      names = "--interactive",
      description = "The same by commands typed here; 'help' lists them.")
  private boolean interactive;

  boolean given() {
    return gdb != null || interactive;
  }

  /**
   * What the user asked for that makes no sense; empty if nothing.
   *
   * @param branches whether the replay is to become a run of its own
   * @param whole whether all of the run is replayed
   */
  Optional<String> complaint(boolean branches, boolean whole) {
    if (!given()) {
      return Optional.empty();
    }
    if (gdb != null && interactive) {
      return Optional.of("--gdb and --interactive are two ways: give one");
    }
    if (branches) {
      return Optional.of(
          "--gdb and --interactive are for the recorded run, which --live, --edit, --fault and"
              + " --record leave: record the changed run, then look into that");
    }
    return whole
        ? Optional.empty()
        : Optional.of("--gdb and --interactive are not for --break and --only");
  }

  /**
   * Serves until nobody wants to move in the run any more.
   *
   * @param to where it stands at first; null for its beginning
   */
  void serve(Replays runs, RecordFields fields, Where to) {
    try (ReplayTarget target = new ReplayTarget(runs)) {
      if (to != null) {
        target.go(to::units);
      }
      if (interactive) {
        ShellInput.run(target, out -> new ReplayShell(target, fields, out));
        return;
      }
      try (DebugServer _ = GdbOptions.listen(gdb, target)) {
        target.over().join();
      }
    } catch (IOException e) {
      throw new UserException(ExitCode.INTERNAL, "replay: " + e.getMessage());
    }
  }
}
