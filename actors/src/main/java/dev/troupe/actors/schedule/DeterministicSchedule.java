package dev.troupe.actors.schedule;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.machine.TurnRules;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.StateVisitor.Width;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

/**
 * The deterministic schedule: one vCPU at a time, in turns whose lengths follow from a seed.
 * Virtual time is what all vCPUs have retired, times a constant, plus the idle time that was
 * skipped; so the run is a function of the machine, its images, the seed, and the inputs with their
 * positions.
 *
 * <p>Between two turns the machine stands at a quiet point: the board is drained, timers that are
 * due have fired, inputs have been let in, by the thread of the turn that ended. Who runs next is
 * the next in order that has something to run. When all are halted time jumps to the next event;
 * with pacing the jump takes as long by the wall clock, and input from outside ends it early.
 *
 * <p>At most one vCPU actor holds the turn, from the message that starts it to the end of its quiet
 * point; whatever is not volatile here is the holder's, and passes with that message.
 */
public final class DeterministicSchedule implements Schedule, Stateful {
  private static final int NOBODY = -1;

  /** What looks at the machine at its quiet points. */
  public interface QuietPoint {
    /** Every vCPU is between turns, the board is empty, nothing has been let in yet. */
    void reached();

    /**
     * A vCPU gets a turn.
     *
     * @param idle virtual time that was skipped since the last turn was given
     * @param units of the turn; 0 if it is as long as the seed has it
     */
    default void turn(long idle, long units) {}

    /** A timer of the board makes the turn under way shorter: so many units are left of it. */
    default void cut(long units) {}

    /**
     * Virtual time at which an idle machine is to be looked at; {@link EventHeap#NEVER} for none.
     */
    long nextNanos();
  }

  private final Board board;
  private final TurnGate turns;
  private final HostTimer.Alarm alarm;
  private final Expiry expiry;
  private final EventHeap heap;
  private final SeededNumbers numbers;
  private final Options options;

  private QuietGate gate;
  private QuietPoint quietPoint;
  private List<? extends Runner> runners = List.of();
  private boolean[] halted = {};

  /** Who has the turn, or had it last. */
  private volatile int holder;

  /** Units of the turn that was given to the holder and has not begun; 0 for none. */
  private volatile long granted;

  /** The holder's next message begins with a quiet point, as nothing has been granted. */
  private volatile boolean due;

  private long retired;
  private long skipped;

  /** What had been skipped when the last turn was given. */
  private long told;

  /** The vCPU in the engine now, and the slice that it was given; null for none. */
  private Cpu inEngine;

  private long slice;

  /** Host time when the idle jump under way began, and its length; length 0 for none. */
  private long jumpFrom;

  private long jump;

  /** No time has passed and nothing has run since the last quiet point, or only idle time has. */
  private boolean waited;

  /** Nobody has a turn: whoever has something to go on with starts the holder's. */
  private final AtomicBoolean idle = new AtomicBoolean();

  private volatile boolean running;

  /** Makes the schedule of one machine; virtual time stands at 0. */
  public DeterministicSchedule(
      HostTimer timer, Board board, int devices, Options options, TurnGate turns, Expiry expiry) {
    this.board = board;
    this.turns = turns;
    this.expiry = expiry;
    heap = new EventHeap(devices);
    numbers = new SeededNumbers(options.seed());
    this.options = options;
    alarm = timer.alarm(this::wake);
  }

  /**
   * What the user chose.
   *
   * @param seed of the lengths of turns
   * @param paced from where on idle time takes as long by the wall clock
   * @param variation other turns
   */
  public record Options(long seed, Predicate<Position> paced, Variation variation) {
    /** Turns as the seed gives them, and one pace. */
    public Options(long seed, boolean paced) {
      this(seed, position -> paced, Variation.NONE);
    }
  }

  /**
   * Other lengths of turns, and another order of the vCPUs. It is a function of the seed's own
   * draws and holds no state: a run is the same up to where it begins.
   *
   * @param from where it begins, and holds from there on
   */
  public record Variation(Predicate<Position> from, long seed) {
    /** The seed's own turns, one vCPU after the other. */
    public static final Variation NONE = new Variation(position -> false, 0);
  }

  /** Halvings of the longest turn in a variation: the shortest turns are of some instructions. */
  private static final int HALVINGS = 13;

  /** The gate whose inputs enter at this schedule's quiet points; before {@link #start}. */
  public void gate(QuietGate inputs) {
    gate = inputs;
  }

  /** What looks at the machine at its quiet points; before {@link #start}. */
  public void observe(QuietPoint observer) {
    quietPoint = observer;
  }

  /** Something waits outside the gate. */
  public void arrived() {
    wake();
  }

  /** Where the machine is; exact at a quiet point and at rest. */
  public Position position() {
    return new Position(retired, board.number(), nanos());
  }

  /** Units that all vCPUs have retired; also from within a turn, between two instructions. */
  public long instructions() {
    Cpu cpu = inEngine;
    return cpu == null ? retired : retired + slice - cpu.unitsLeft();
  }

  /** At a quiet point or at rest: which one, or after which one. */
  public Place place() {
    return new Place(numbers.drawn(), position());
  }

  @Override
  public void attach(List<? extends Runner> vcpus) {
    runners = List.copyOf(vcpus);
    halted = new boolean[runners.size()];
  }

  @Override
  public boolean postsWake() {
    return false;
  }

  @Override
  public long nanos() {
    return instructions() * TurnRules.NANOS_PER_UNIT + skipped;
  }

  @Override
  public boolean exact() {
    return true;
  }

  @Override
  public long begin(int vcpu) {
    Runner runner = runners.get(vcpu);
    if (!hasTurn(vcpu)) {
      runner.rest();
      if (hasTurn(vcpu)) {
        // Given meanwhile, by a thread that may have found this message still under way.
        runner.turn();
      }
      return 0;
    }
    if (granted == 0) {
      due = false;
      runner.rest();
      if (!quiet(vcpu)) {
        return 0;
      }
      runner.hold();
    }
    long units = granted;
    granted = 0;
    return units;
  }

  private boolean hasTurn(int vcpu) {
    return vcpu == holder && (granted != 0 || due);
  }

  @Override
  public void running(int vcpu, long units) {
    slice = units;
    inEngine = runners.get(vcpu).vcpu().cpu;
  }

  @Override
  public void ran(int vcpu, long used) {
    inEngine = null;
    retired += used;
  }

  /**
   * Ends the turn where others may be what this vCPU waits for, and shortens it to the next timer,
   * which the exit may have set.
   */
  @Override
  public long afterExit(Exit exit, long left) {
    if (exit instanceof Exit.Pause) {
      return 0;
    }
    long most = units(heap.nextDeadline());
    if (left <= most) {
      return left;
    }
    quietPoint.cut(most);
    return most;
  }

  @Override
  public boolean end(int vcpu, End how) {
    halted[vcpu] = how == End.HALTED;
    if (how == End.BROKEN_OFF) {
      board.settle(); // the machine is about to be reset or to end
      return false;
    }
    Runner runner = runners.get(vcpu);
    runner.rest();
    boolean goesOn = quiet(vcpu);
    if (goesOn) {
      runner.hold();
    }
    return goesOn;
  }

  /**
   * Stands at a quiet point, then gives somebody the next turn, or waits.
   *
   * @param current whose thread this is
   * @return true if the next turn is the current one's, who has not been sent a message for it
   */
  private boolean quiet(int current) {
    endJump();
    // A wait that ends before its time, and for nothing, is no quiet point: whether there is one
    // would depend on the outside.
    if (!waited || gate.waiting()) {
      look();
    }
    waited = false;
    if (turns.isClosed()) {
      // How long the machine takes to end or to start anew is no time of the guest's.
      return false;
    }
    if (gate.outputWaits()) {
      // Nothing runs and no time passes until the outside has taken it.
      waited = true;
      idle.set(true);
      if (!gate.outputWaits()) {
        wake();
      }
      return false;
    }
    SeededNumbers varied = varied();
    int next = next(varied == null ? 1 : varied.upTo(halted.length));
    if (next == NOBODY) {
      await();
      return false;
    }
    grant(next, varied);
    if (next != current) {
      runners.get(next).turn();
    }
    return next == current;
  }

  private void look() {
    settle();
    quietPoint.reached();
    while (gate.admit(place())) {
      settle();
      if (!gate.entersNext(place())) {
        return;
      }
    }
  }

  /** Drains the board, and fires what is due, until neither leaves anything. */
  private void settle() {
    board.settle();
    for (EventHeap.Due due = heap.poll(nanos()); due != null; due = heap.poll(nanos())) {
      expiry.expired(due.actor(), due.timer(), due.deadline());
      board.settle();
    }
  }

  /** What the next turn's variation is drawn from; null if it has none. */
  private SeededNumbers varied() {
    Variation variation = options.variation();
    return variation.from().test(position())
        ? new SeededNumbers(variation.seed() ^ new SeededNumbers(numbers.drawn()).next())
        : null;
  }

  /**
   * Who has the next turn: the first that has something to run.
   *
   * @param first whom to look at first: the one so far behind the last
   */
  private int next(int first) {
    for (int i = 0; i < halted.length; i++) {
      int vcpu = (holder + first + i) % halted.length;
      if (!halted[vcpu] || wakes(runners.get(vcpu).vcpu())) {
        return vcpu;
      }
    }
    return NOBODY;
  }

  private boolean wakes(Vcpu vcpu) {
    return vcpu.cpu.attention() || vcpu.nextDeadline() <= nanos();
  }

  private void grant(int vcpu, SeededNumbers varied) {
    halted[vcpu] = false;
    holder = vcpu;
    int drawn = numbers.upTo(TURN_UNITS);
    int units = drawn;
    if (varied != null) {
      // Turns of all magnitudes: what goes wrong may need one that is short just there.
      units = varied.upTo(TURN_UNITS >> (varied.upTo(HALVINGS) - 1));
    }
    long most = Math.min(units, unitsToDeadline(vcpu));
    quietPoint.turn(skipped - told, most == drawn ? 0 : most);
    told = skipped;
    granted = most;
  }

  /** A turn ends when something is due, on the board or at a vCPU that could take it. */
  private long unitsToDeadline(int vcpu) {
    long deadline = heap.nextDeadline();
    for (int i = 0; i < halted.length; i++) {
      if (halted[i] || i == vcpu) {
        deadline = Math.min(deadline, runners.get(i).vcpu().nextDeadline());
      }
    }
    return units(deadline);
  }

  /** Units until virtual time has reached a deadline; at least one. */
  private long units(long deadline) {
    return Math.ceilDiv(Math.max(1, deadline - nanos()), TurnRules.NANOS_PER_UNIT);
  }

  // Idle time -----------------------------------------------------------------------------------

  private void await() {
    long wake = Math.min(heap.nextDeadline(), gate.nextNanos(place()));
    wake = Math.min(wake, quietPoint.nextNanos());
    for (Runner runner : runners) {
      wake = Math.min(wake, runner.vcpu().nextDeadline());
    }
    boolean never = wake == EventHeap.NEVER;
    boolean paced = options.paced().test(position());
    if (paced) {
      jumpFrom = System.nanoTime();
      jump = never ? Long.MAX_VALUE : wake - nanos();
    } else if (!never) {
      skipped += wake - nanos();
    } else {
      waited = true;
    }
    idle.set(true);
    if (gate.waiting() || (!paced && !never)) {
      // By way of its mailbox, so that a pause gets in between.
      wake();
    } else if (running && !never) {
      alarm.set(jump);
    }
  }

  /** The idle time that has gone becomes virtual time. */
  private void endJump() {
    if (jump > 0) {
      alarm.stop();
      long gone = System.nanoTime() - jumpFrom;
      skipped += Math.min(gone, jump);
      waited = gone < jump;
      jump = 0;
    }
  }

  /** From any thread: ends a wait. */
  private void wake() {
    if (idle.get() && idle.compareAndSet(true, false)) {
      due = true;
      runners.get(holder).turn();
    }
  }

  @Override
  public void timer(int actor, int timer, long deadline) {
    heap.set(actor, timer, deadline);
  }

  @Override
  public void start() {
    running = true;
    wake();
  }

  @Override
  public void stop() {
    running = false;
    alarm.stop();
    endJump();
  }

  @Override
  public void clear() {
    heap.clear();
    Arrays.fill(halted, false);
    granted = 0;
    waited = false;
    idle.set(false);
    due = true;
    runners.get(holder).turn();
  }

  /** At a quiet point, or at rest: the place in the run, who is halted, and the timers. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    retired = v.within("retired", retired, 0, Long.MAX_VALUE);
    skipped = v.within("skipped", skipped, 0, Long.MAX_VALUE);
    board.number(v.within("messages", board.number(), 0, Long.MAX_VALUE));
    holder = v.within("holder", holder, 0, halted.length - 1);
    for (int i = 0; i < halted.length; i++) {
      halted[i] = v.scalar("halted", i, Width.BYTE, halted[i] ? 1 : 0, 0, 1) != 0;
    }
    v.part("numbers", numbers);
    v.part("timers", heap);
    if (v.restoring()) {
      granted = 0;
      jump = 0;
      told = skipped;
    }
  }

  @Override
  public void close() {
    alarm.stop();
  }
}
