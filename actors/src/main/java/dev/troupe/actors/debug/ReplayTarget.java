package dev.troupe.actors.debug;

import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A recorded run, forwards and backwards. To go back is to begin at the last checkpoint before, and
 * to run to just before what is wanted; what that is, is looked for by running once more up to
 * where the machine stands, with hits noted instead of stopped at. Two runs from the same
 * checkpoint are the same, so a place that one has found is the other's.
 */
public final class ReplayTarget implements DebugServer.Target, AutoCloseable {
  /**
   * Instructions that are run forwards rather than to begin at a later checkpoint: about a second.
   */
  private static final long LEAP = 100_000_000;

  /** Records that are kept of what has happened, to be looked at. */
  public static final int KEPT = 1000;

  private final Replays replays;
  private final CompletableFuture<Void> over = new CompletableFuture<>();
  private List<Long> addresses = List.of();
  private List<Stops.Watchpoint> ranges = List.of();
  private Replays.Running running;

  /** What {@link #running} began with. */
  private Optional<JournalRecord.Checkpoint> origin = Optional.empty();

  private boolean reported;
  private Stop stands;

  /** Somebody has interrupted the move under way. */
  private volatile boolean interrupted;

  private volatile BrakedMachine moving;

  /** A run that stands before its first instruction. */
  public ReplayTarget(Replays replays) {
    this.replays = replays;
    begin(Optional.empty());
    stands = new Stop(0, seek(0) ? Reason.TRAP : Reason.GONE, null);
  }

  /** Completed when nobody wants to look any more, and the run has ended or been ended. */
  public CompletableFuture<Void> over() {
    return over;
  }

  private BrakedMachine machine() {
    return running.machine();
  }

  private Brake brake() {
    return machine().brake();
  }

  private void begin(Optional<JournalRecord.Checkpoint> from) {
    if (running != null) {
      running.close();
    }
    origin = from;
    running = replays.start(from, new Brake());
    moving = machine();
    brake().now();
    if (machine().go() == BrakedMachine.Stand.BRAKED) {
      apply();
    }
  }

  private void apply() {
    var _ =
        brake()
            .look(
                all -> {
                  all.forEach(vcpu -> vcpu.cpu.stops.set(addresses, ranges));
                  return true;
                });
  }

  private void clear() {
    var _ =
        brake()
            .look(
                all -> {
                  all.forEach(vcpu -> vcpu.cpu.stops.set(List.of(), List.of()));
                  return true;
                });
  }

  /** Where the machine stands. */
  public Position place() {
    return brake().position().orElse(new Position(0, 0, 0));
  }

  /** How many instructions have been retired where the machine stands. */
  private long here() {
    return place().instructions();
  }

  // Forwards ------------------------------------------------------------------------------------

  @Override
  public Stop move(Move how) {
    interrupted = false;
    stands =
        switch (how) {
          case Run(boolean back) -> back ? runBack() : forwards(brake -> {});
          case Step(int vcpu, boolean back) ->
              back ? back(vcpu, 1) : forwards(brake -> brake.after(vcpu, 1));
        };
    return stands;
  }

  /**
   * Goes on until a vCPU has run so many instructions, or to what else stops it.
   *
   * @param count at least 1
   */
  public Stop step(int vcpu, long count) {
    interrupted = false;
    stands = forwards(brake -> brake.after(vcpu, count));
    return stands;
  }

  /**
   * Goes back to just before the last so many instructions that a vCPU has run; breakpoints do not
   * stop it.
   *
   * @param count at least 1
   */
  public Stop stepBack(int vcpu, long count) {
    interrupted = false;
    stands = back(vcpu, count);
    return stands;
  }

  /**
   * Goes to the first instruction boundary at which a goal is reached, forwards or backwards;
   * breakpoints do not stop it.
   */
  public Stop go(Brake.Goal goal) {
    interrupted = false;
    stands =
        reach(goal)
            ? new Stop(NO_VCPU, Reason.TRAP, null)
            : interrupted ? new Stop(NO_VCPU, Reason.INTERRUPTED, null) : ended();
    return stands;
  }

  /** Goes on to just behind such a record, at an instruction boundary, or to what else stops it. */
  public Stop until(Predicate<JournalRecord> record) {
    interrupted = false;
    running.log().want(record, brake()::now);
    stands = forwards(brake -> {});
    running.log().want(null, null);
    return stands;
  }

  /** Sets what a brake is to stop for. */
  @FunctionalInterface
  private interface Setting {
    void on(Brake brake);
  }

  private Stop forwards(Setting setting) {
    brake().release();
    setting.on(brake());
    BrakedMachine.Stand how = machine().go();
    Brake.Cause cause = brake().cause();
    return switch (how) {
      case GONE -> ended();
      case PAUSED -> new Stop(NO_VCPU, Reason.INTERRUPTED, null);
      case BRAKED ->
          new Stop(cause.vcpu(), cause.hit() == null ? Reason.TRAP : Reason.HIT, cause.hit());
    };
  }

  /**
   * The run has been compared to its end: stands just before it, so that there is something to see.
   */
  private Stop ended() {
    long end =
        switch (report()) {
          case Replayer.Identical(Position position, long _) -> position.instructions();
          case Replayer.Reached reached -> reached.position().instructions();
          case Replayer.Diverged diverged -> diverged.place().position().instructions();
          case Replayer.Unreadable _ -> 0;
          case null -> 0;
        };
    return new Stop(NO_VCPU, seek(Math.max(0, end - 1)) ? Reason.END : Reason.GONE, null);
  }

  private Replayer.Result report() {
    Replayer.Result result = running.result().getNow(null);
    if (!reported) {
      reported = true;
      replays.report(result);
    }
    return result;
  }

  // Backwards -----------------------------------------------------------------------------------

  /** The last checkpoint at which a goal is not reached. */
  private Optional<JournalRecord.Checkpoint> before(Brake.Goal goal) {
    return replays.checkpoints().stream()
        .filter(c -> goal.units(c.place().position()) > 0)
        .reduce((earlier, later) -> later);
  }

  private static Brake.Goal instructions(long count) {
    return now -> count - now.instructions();
  }

  /**
   * Has the machine stand where so many instructions have been retired, or one more where an event
   * was delivered with the last.
   *
   * @return false if it has been interrupted on the way, or has ended
   */
  private boolean seek(long instructions) {
    return (!machine().isGone() && here() == instructions) || reach(instructions(instructions));
  }

  /** Has the machine stand where a goal is first reached; false as for {@link #seek}. */
  private boolean reach(Brake.Goal goal) {
    Optional<JournalRecord.Checkpoint> start = before(goal);
    boolean passed = machine().isGone() || goal.units(place()) <= 0;
    boolean far = start.map(c -> c.place().position().instructions() - here() > LEAP).orElse(false);
    if (passed || far) {
      begin(start);
    }
    return runTo(goal);
  }

  private boolean runTo(Brake.Goal goal) {
    if (interrupted || machine().isGone()) {
      return false;
    }
    if (goal.units(place()) <= 0) {
      return true;
    }
    return run(brake -> brake.at(goal));
  }

  /** Past what it is to stop at; false if it has been interrupted, or has ended. */
  private boolean run(Setting setting) {
    clear();
    brake().release();
    setting.on(brake());
    boolean there = machine().go() == BrakedMachine.Stand.BRAKED;
    apply();
    return there;
  }

  /** To just before the last instructions that a vCPU has run. */
  private Stop back(int vcpu, long count) {
    long from = here();
    long missing = count;
    long ran = brake().ran(vcpu);
    while (ran < missing && origin.isPresent() && !interrupted) {
      missing -= ran;
      Brake.Goal start = instructions(origin.get().place().position().instructions());
      begin(before(start));
      if (!runTo(start)) {
        break;
      }
      ran = brake().ran(vcpu);
    }
    if (interrupted) {
      return new Stop(NO_VCPU, Reason.INTERRUPTED, null);
    }
    if (ran < missing) {
      return new Stop(NO_VCPU, seek(0) ? Reason.BEGIN : Reason.INTERRUPTED, null);
    }
    // An event that was delivered with an instruction counts as one, and nothing stands between.
    for (long before = ran - missing; before >= 0; before--) {
      begin(origin);
      long wanted = before;
      if (!run(brake -> brake.before(vcpu, wanted))) {
        return new Stop(NO_VCPU, Reason.INTERRUPTED, null);
      }
      if (here() < from) {
        return new Stop(vcpu, Reason.TRAP, null);
      }
    }
    throw new IllegalStateException("vCPU %d has run nothing before i:%d".formatted(vcpu, from));
  }

  /** To the last hit before where the machine stands. */
  private Stop runBack() {
    long from = here();
    long until = from;
    begin(before(instructions(from)));
    while (true) {
      List<Brake.Sighting> last = new ArrayList<>();
      long limit = until;
      brake().release();
      brake()
          .watch(
              sighting -> {
                if (sighting.instructions() < from && sighting.instructions() < limit) {
                  last.clear();
                  last.add(sighting);
                }
              });
      brake().at(now -> limit - now.instructions());
      if (interrupted || machine().go() != BrakedMachine.Stand.BRAKED) {
        return new Stop(NO_VCPU, Reason.INTERRUPTED, null);
      }
      if (!last.isEmpty()) {
        Brake.Sighting hit = last.getFirst();
        boolean there = seek(hit.instructions());
        return there
            ? new Stop(hit.vcpu(), Reason.HIT, hit.hit())
            : new Stop(NO_VCPU, Reason.INTERRUPTED, null);
      }
      if (origin.isEmpty()) {
        return new Stop(NO_VCPU, seek(0) ? Reason.BEGIN : Reason.INTERRUPTED, null);
      }
      until = origin.get().place().position().instructions();
      begin(before(instructions(until)));
    }
  }

  // What does not move it -----------------------------------------------------------------------

  @Override
  public int vcpus() {
    return replays.vcpus();
  }

  @Override
  public <T> Optional<T> look(int vcpu, Function<Cpu, T> what) {
    return brake().look(all -> what.apply(all.get(vcpu).cpu));
  }

  /** A run that is changed is not the recorded one any more. */
  @Override
  public boolean writable() {
    return false;
  }

  @Override
  public boolean reversible() {
    return true;
  }

  @Override
  public void stopAt(List<Long> instructions, List<Stops.Watchpoint> data) {
    addresses = instructions;
    ranges = data;
    apply();
  }

  @Override
  public Stop halt() {
    return stands;
  }

  @Override
  public void interrupt() {
    interrupted = true;
    moving.interrupt();
  }

  @Override
  public void letGo() {
    if (!reported) {
      stopAt(List.of(), List.of());
      brake().release();
      while (machine().go() != BrakedMachine.Stand.GONE) {
        // A pause that somebody asked for before.
      }
      report();
    }
    over.complete(null);
  }

  @Override
  public void kill() {
    over.complete(null);
  }

  @Override
  public String position() {
    return place().toString();
  }

  /** The last records before where the machine stands, oldest first, at most {@link #KEPT}. */
  public List<JournalRecord> records(int count) {
    return running.log().last(count);
  }

  /** What the guest has printed since the checkpoint that the run has begun with. */
  public String console() {
    return running.console();
  }

  /** The hash of the machine's state, 16 digits. */
  public String hash() {
    return "%016x".formatted(brake().hash());
  }

  @Override
  public void close() {
    running.close();
  }
}
