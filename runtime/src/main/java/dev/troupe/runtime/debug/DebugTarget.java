package dev.troupe.runtime.debug;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Stops;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A machine that somebody looks at from outside. All but {@link #interrupt} is for while it stands.
 */
public interface DebugTarget {
  /** In place of a vCPU's index: none of them in particular. */
  int NO_VCPU = -1;

  /** How the machine is to move. */
  sealed interface Move {
    /** Backwards in the run; only where {@link #reversible}. */
    boolean back();
  }

  /** Until something stops it. */
  record Run(boolean back) implements Move {}

  /**
   * By one instruction of a vCPU, while the others do what they do. An interrupt that is delivered
   * counts as one.
   */
  record Step(int vcpu, boolean back) implements Move {}

  /** Why a machine stands. */
  enum Reason {
    /** The instruction has been run, or somebody has interrupted it. */
    TRAP,
    INTERRUPTED,
    /** At what it was to stop at: see {@link Stop#hit}. */
    HIT,
    /** A recorded run does not go back any farther. */
    BEGIN,
    /** A recorded run does not go on any farther. */
    END,
    /** The machine has ended; there is nothing to look at any more. */
    GONE
  }

  /**
   * Where and why it stands.
   *
   * @param vcpu the one that is meant, or {@link #NO_VCPU}
   * @param hit what was met; null if the reason is another
   */
  record Stop(int vcpu, Reason reason, Stops.Hit hit) {}

  /** How many vCPUs there are. */
  int vcpus();

  /**
   * Looks at a vCPU, or changes it where {@link #writable}.
   *
   * @return empty if the machine has ended
   */
  <T> Optional<T> look(int vcpu, Function<Cpu, T> what);

  /** Whether the guest may be changed: a recorded run may not. */
  boolean writable();

  /** Whether it moves backwards, too. */
  boolean reversible();

  /**
   * Sets what stops the machine, in place of what did.
   *
   * @param addresses linear addresses of instructions
   */
  void stopAt(List<Long> addresses, List<Stops.Watchpoint> ranges);

  /** Moves the machine; returns when it stands again. */
  Stop move(Move how);

  /** Makes a machine that moves stand soon; from any thread. */
  void interrupt();

  /** Where the machine is, for people. */
  String position();
}
