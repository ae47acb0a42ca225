package dev.troupe.actors.schedule;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.machine.TurnRules;
import java.util.List;

/**
 * Who runs when, and what time it is. The actors of a machine are the same in every schedule; what
 * differs is here: the clock and its timers, what starts a turn, and how long it is.
 */
public interface Schedule extends TimeSource, AutoCloseable {
  /** Units of the turns that share a message, and of a deterministic turn, at most. */
  int TURN_UNITS = TurnRules.TURN_UNITS;

  /** Where due timers go. Called on the schedule's thread, never with a lock held. */
  @FunctionalInterface
  interface Expiry {
    /**
     * A timer is due; it is no longer set.
     *
     * @param actor the index of the actor that had set it
     * @param timer its number there
     * @param deadline the deadline it had
     */
    void expired(int actor, int timer, long deadline);
  }

  /** A vCPU's actor, as its schedule sees it. */
  interface Runner {
    /** The vCPU itself. */
    Vcpu vcpu();

    /** Sends the message that starts a turn, unless one is under way. */
    void turn();

    /** As {@link #turn}, but the turn that is under way is the caller's own: sends nothing. */
    void hold();

    /** The turn has ended, and no message is under way. */
    void rest();
  }

  /** How a turn ended. */
  enum End {
    /** The slice is used up. */
    MORE,
    /** Nothing to run until an interrupt. */
    HALTED,
    /** The machine is about to be reset or to end; the vCPU waits for its word. */
    BROKEN_OFF
  }

  /** Makes the vCPUs known, in the order of their indexes; before {@link #start}. */
  void attach(List<? extends Runner> runners);

  /**
   * True if whoever posts an interrupt to a halted vCPU starts its turn; false if the schedule
   * looks for itself.
   */
  boolean postsWake();

  /**
   * A vCPU's turn begins; on its actor's thread.
   *
   * @return units of {@link dev.troupe.runtime.engine.Engine#run} that the turn has; 0 if it is not
   *     this vCPU's after all
   */
  long begin(int vcpu);

  /** The engine is about to run with this slice. */
  void running(int vcpu, long slice);

  /** The engine has come back, with so many units used. */
  void ran(int vcpu, long used);

  /** How many PAUSEs of a run of the engine go by untold: 0 where each is part of the order. */
  default int untoldPauses() {
    return 0;
  }

  /**
   * An exit has been completed with so many units of the turn left; gives what is left after it.
   */
  long afterExit(Exit exit, long left);

  /**
   * The turn has ended. Not called after a {@link #begin} that gave 0.
   *
   * @return true if the next turn is this vCPU's, too, and it has not been sent the message
   */
  boolean end(int vcpu, End how);

  /**
   * Sets or moves a device's timer; from any thread.
   *
   * @param deadline virtual nanoseconds, {@link EventHeap#NEVER} to stop it; one that has passed is
   *     due at once
   */
  void timer(int actor, int timer, long deadline);

  /** Lets virtual time go on. Until the first call it stands at 0. */
  void start();

  /** Stops virtual time: no timer is due until {@link #start}. The vCPUs are paused. */
  void stop();

  /** The machine is reset: stops all timers, and no vCPU is halted any more. */
  void clear();

  /** Stops for good and forgets its timers. */
  @Override
  void close();
}
