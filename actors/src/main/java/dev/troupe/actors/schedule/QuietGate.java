package dev.troupe.actors.schedule;

import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The deterministic schedule's gate: what is offered waits outside until the schedule stands at a
 * quiet point; inputs with a position wait for it. Output counts as taken at the quiet point after
 * it, however long the outside needs: a machine whose console is behind stands still, and does not
 * notice.
 */
public final class QuietGate implements InputGate, Stateful {
  /** Is told what gets in. */
  @FunctionalInterface
  public interface Watcher {
    /**
     * Something gets in.
     *
     * @param place where the machine stands
     * @param scripted whether it is from a script
     */
    void entered(Place place, boolean scripted, ScriptedInput.Input input);
  }

  /** From outside; by any thread. */
  private sealed interface Arrival {}

  private record Bytes(byte[] bytes, Runnable taken) implements Arrival {}

  private record Button() implements Arrival {}

  /** Output that the outside has not taken, above which the machine waits for it. */
  private static final int MAX_UNWRITTEN = 32 * 1024;

  private final Inside inside;
  private final Runnable arrived;
  private final Watcher watcher;
  private final AtomicInteger unwritten = new AtomicInteger();
  private final Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();

  // What follows belongs to whoever stands at the quiet point or drains the board.
  private final Deque<ScriptedInput> script;
  private final InputQueue queue = new InputQueue();

  /**
   * Where the machine stood when it let in an input of the script the last time. Not where it stood
   * at its last quiet point: a wait by the wall clock has any number of those.
   */
  private long scriptedInstructions = -1;

  private long scriptedNanos = -1;

  /** Output of the serial line whose room it has not got back. */
  private int owed;

  /**
   * A gate for inputs in the order of this script, and for what is offered.
   *
   * @param arrived told from any thread that something waits outside, or output has been taken
   */
  public QuietGate(List<ScriptedInput> script, Inside inside, Runnable arrived, Watcher watcher) {
    this.watcher = watcher;
    this.script = new ArrayDeque<>(script);
    this.inside = inside;
    this.arrived = arrived;
  }

  @Override
  public void offer(byte[] bytes, Runnable taken) {
    arrivals.add(new Bytes(bytes, taken));
    arrived.run();
  }

  @Override
  public void pressPowerButton() {
    arrivals.add(new Button());
    arrived.run();
  }

  @Override
  public void written(int bytes) {
    if (unwritten.addAndGet(-bytes) <= MAX_UNWRITTEN) {
      arrived.run();
    }
  }

  @Override
  public void grant(int bytes) {
    queue.grant(bytes);
  }

  @Override
  public void put(int bytes) {
    owed += bytes;
    unwritten.addAndGet(bytes);
  }

  /** True if the outside has so much output to take that no more should come. */
  boolean outputWaits() {
    return unwritten.get() > MAX_UNWRITTEN;
  }

  /** Nothing: a machine that stands has no quiet points. */
  @Override
  public void open(boolean now) {}

  /**
   * Lets in what may get in at this quiet point.
   *
   * @return true if anything did: it waits on the board
   */
  boolean admit(Place place) {
    boolean any = false;
    if (owed > 0) {
      inside.room(owed);
      owed = 0;
      any = true;
    }
    while (scriptDue(place)) {
      ScriptedInput next = script.remove();
      boolean scripted = next.recorded().map(ScriptedInput.Recorded::scripted).orElse(true);
      if (scripted) {
        scriptedInstructions = place.position().instructions();
        scriptedNanos = place.position().nanos();
      }
      watcher.entered(place, scripted, next.input());
      any |=
          enter(
              switch (next.input()) {
                case ScriptedInput.Console(byte[] bytes) -> new Bytes(bytes, () -> {});
                case ScriptedInput.PowerButton _ -> new Button();
              });
    }
    for (Arrival next = arrivals.poll(); next != null; next = arrivals.poll()) {
      watcher.entered(
          place,
          false,
          switch (next) {
            case Bytes(byte[] bytes, Runnable _) -> new ScriptedInput.Console(bytes);
            case Button _ -> new ScriptedInput.PowerButton();
          });
      any |= enter(next);
    }
    byte[] bytes = queue.take();
    while (bytes.length > 0) {
      inside.input(bytes);
      any = true;
      bytes = queue.take();
    }
    return any;
  }

  /**
   * Whether an input of a recorded run waits that entered at this quiet point, too, but after what
   * was let in before it had been handled.
   */
  boolean entersNext(Place place) {
    return scriptDue(place) && script.peek().recorded().isPresent();
  }

  private boolean scriptDue(Place place) {
    return !script.isEmpty() && script.peek().due(place);
  }

  /** What a user's script has let in before the state was saved. */
  private boolean scriptDone() {
    ScriptedInput next = script.peek();
    return next != null
        && next.recorded().isEmpty()
        && next.instructions() <= scriptedInstructions
        && next.nanos() <= scriptedNanos;
  }

  /** The script itself is no state: a restored machine has one of its own, or goes on in this. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    owed = v.within("owed", owed, 0, Integer.MAX_VALUE);
    scriptedInstructions =
        v.within("scriptedInstructions", scriptedInstructions, -1, Long.MAX_VALUE);
    scriptedNanos = v.within("scriptedNanos", scriptedNanos, -1, Long.MAX_VALUE);
    v.part("queue", queue);
    if (v.restoring()) {
      while (scriptDone()) {
        script.remove();
      }
    }
  }

  private boolean enter(Arrival arrival) {
    return switch (arrival) {
      case Bytes(byte[] bytes, Runnable taken) -> {
        queue.add(bytes, taken);
        yield false; // if there is no room they wait
      }
      case Button _ -> {
        inside.powerButton();
        yield true;
      }
    };
  }

  /**
   * The virtual time at which the next input of the script enters a machine that is idle; {@link
   * EventHeap#NEVER} if it waits for instructions, or there is none.
   */
  long nextNanos(Place place) {
    if (script.isEmpty() || !script.peek().waitsForTime(place)) {
      return EventHeap.NEVER;
    }
    long nanos = script.peek().nanos();
    // One that waits for messages which did not come, as the run is another: it enters all the
    // same.
    return script.peek().recorded().isPresent()
        ? Math.max(nanos, place.position().nanos() + 1)
        : nanos;
  }

  /** True if something waits outside. */
  boolean waiting() {
    return !arrivals.isEmpty();
  }
}
