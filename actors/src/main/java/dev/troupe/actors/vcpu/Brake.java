package dev.troupe.actors.vcpu;

import dev.troupe.actors.schedule.DeterministicSchedule;
import dev.troupe.actors.schedule.Schedule;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.machine.Position;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Stops a machine's vCPUs at the very instruction where somebody outside wants them to stand: one
 * that looks at the guest from without. A turn that is stopped in its middle goes on there, so that
 * the guest's run is the same with and without. What is wanted is set while the machine stands.
 */
public final class Brake {
  /** What a machine has that nobody looks at. */
  public static final Brake NONE = new Brake();

  private static final int NOBODY = -1;

  /** Where in the run of a deterministic machine it is to stand. */
  @FunctionalInterface
  public interface Goal {
    /**
     * Units that may still run before it is reached; 0 or less if it is reached.
     *
     * @param now where the machine is
     */
    long units(Position now);
  }

  /**
   * Why a machine stands.
   *
   * @param vcpu whose instruction it was
   * @param hit null if as many instructions as were wanted have been run, or the goal is reached
   */
  public record Cause(int vcpu, Stops.Hit hit) {}

  /**
   * A hit on the way.
   *
   * @param instructions how many the machine had retired just before the instruction that met it
   */
  public record Sighting(int vcpu, Stops.Hit hit, long instructions) {}

  /** Sees hits instead of stopping at them. */
  @FunctionalInterface
  public interface Watcher {
    /** The vCPU goes on. */
    void seen(Sighting sighting);
  }

  private List<Vcpu> vcpus = List.of();

  /** Units that each vCPU has retired since the machine was made. */
  private long[] ran = {};

  private DeterministicSchedule positions;
  private LongSupplier hash;

  private int counted = NOBODY;
  private long count;

  /** Not where the counted vCPU has come to the count, but where it would run on. */
  private boolean before;

  private Goal goal;
  private Watcher watcher;
  private boolean wanted;
  private Cause cause;

  /**
   * Makes the vCPUs known; before any of them runs.
   *
   * @param stateHash of a deterministic machine
   */
  public synchronized void attach(List<Vcpu> machine, Schedule schedule, LongSupplier stateHash) {
    if (this == NONE) {
      return;
    }
    vcpus = List.copyOf(machine);
    hash = stateHash;
    ran = new long[vcpus.size()];
    positions = schedule instanceof DeterministicSchedule deterministic ? deterministic : null;
    for (int i = 0; i < vcpus.size(); i++) {
      int index = i;
      vcpus.get(i).cpu.stops.listen(hit -> met(index, hit));
    }
  }

  /** The machine is about to give its memory back. */
  public synchronized void detach() {
    if (this != NONE) {
      vcpus = List.of();
    }
  }

  // Whoever looks on; the machine stands ---------------------------------------------------------

  /** Something to be done with the vCPUs. */
  @FunctionalInterface
  public interface Look<T> {
    /** Does it. */
    T at(List<Vcpu> machine);
  }

  /** Does something with the vCPUs; empty if the machine has ended. */
  public synchronized <T> Optional<T> look(Look<T> what) {
    return vcpus.isEmpty() ? Optional.empty() : Optional.of(what.at(vcpus));
  }

  /** The hash of a deterministic machine's state; 0 if it has ended. */
  public synchronized long hash() {
    return vcpus.isEmpty() ? 0 : hash.getAsLong();
  }

  /** Where a deterministic machine stands; empty for others. */
  public Optional<Position> position() {
    return Optional.ofNullable(positions).map(DeterministicSchedule::position);
  }

  /** How many units a vCPU has retired since the machine was made. */
  public long ran(int vcpu) {
    return ran[vcpu];
  }

  /** Nothing stops the machine any more but what its vCPUs are to stop at. */
  public void release() {
    counted = NOBODY;
    before = false;
    goal = null;
    watcher = null;
    wanted = false;
    cause = null;
  }

  /** The machine is to stand before it runs anything more. */
  public void now() {
    wanted = true;
  }

  /** It is to stand when this vCPU has retired so many units more. */
  public void after(int vcpu, long units) {
    counted = vcpu;
    count = units;
  }

  /** It is to stand before this vCPU runs on when it has retired so many units more. */
  public void before(int vcpu, long units) {
    after(vcpu, units);
    before = true;
  }

  /** It is to stand at a place of its run; only a deterministic machine. */
  public void at(Goal place) {
    goal = place;
  }

  /** Hits do not stop it, but are told. */
  public void watch(Watcher to) {
    watcher = to;
  }

  /** Why the machine stands; null if it does for another reason. */
  public Cause cause() {
    return cause;
  }

  // The vCPUs' side -------------------------------------------------------------------------------

  /** Of so many units, how many the vCPU may run; 0 for none. */
  long slice(int vcpu, long units) {
    if (wanted) {
      stop(vcpu, null);
      return 0;
    }
    long slice = units;
    if (vcpu == counted) {
      slice = Math.min(slice, count);
    }
    if (goal != null) {
      slice = Math.min(slice, goal.units(positions.position()));
    }
    if (slice <= 0) {
      stop(vcpu, null);
      return 0;
    }
    return slice;
  }

  /** So many units have been run. */
  void ran(int vcpu, long units) {
    if (this == NONE) {
      return;
    }
    ran[vcpu] += units;
    if (vcpu == counted) {
      count -= units;
    }
  }

  /** Whether the machine is to stand now that the vCPU has run, and its exit has been answered. */
  boolean due(int vcpu) {
    if (this == NONE) {
      return false;
    }
    Stops.Hit hit = vcpus.get(vcpu).cpu.stops.takeStopped();
    boolean reached =
        (vcpu == counted && count <= 0 && !before)
            || (goal != null && goal.units(positions.position()) <= 0);
    if (hit == null && !reached) {
      return false;
    }
    stop(vcpu, hit);
    return true;
  }

  private synchronized void stop(int vcpu, Stops.Hit hit) {
    if (cause == null) { // the first of several
      cause = new Cause(vcpu, hit);
    }
  }

  private boolean met(int vcpu, Stops.Hit hit) {
    Watcher to = watcher;
    if (to == null) {
      return true;
    }
    to.seen(new Sighting(vcpu, hit, positions.instructions() - hit.ago()));
    return false;
  }
}
