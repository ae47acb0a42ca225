package dev.troupe.actors.debug;

import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.runtime.journal.JournalRecord;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A recorded run that can be had again as often as wanted, from its beginning or a checkpoint. */
public interface Replays {
  /** The run once more. */
  interface Running extends AutoCloseable {
    /** What it is moved by; it has not begun. */
    BrakedMachine machine();

    /** What happens in it. */
    RunLog log();

    /** What its guest has printed, or the end of that. */
    String console();

    /** Completed when it has been compared as far as there is anything to compare with. */
    CompletableFuture<Replayer.Result> result();

    /** Ends it, and returns when it has ended. */
    @Override
    void close();
  }

  /** How many vCPUs its machine has. */
  int vcpus();

  /** Where it can begin, by their order in the run. */
  List<JournalRecord.Checkpoint> checkpoints();

  /**
   * Has it once more.
   *
   * @param from where; empty for its beginning
   */
  Running start(Optional<JournalRecord.Checkpoint> from, Brake brake);

  /** The run has come to its end, and this is what the comparison says. */
  void report(Replayer.Result result);
}
