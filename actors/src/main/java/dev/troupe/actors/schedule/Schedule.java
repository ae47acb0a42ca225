package dev.troupe.actors.schedule;

import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.machine.EventHeap;

/**
 * A machine's time: its clock and its timers. The actors of a machine are the same in every
 * schedule; what differs is here, in who drains the board, and in what starts a turn.
 */
public interface Schedule extends TimeSource, AutoCloseable {
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

  /**
   * Sets or moves a timer; from any thread.
   *
   * @param deadline virtual nanoseconds, {@link EventHeap#NEVER} to stop it; one that has passed is
   *     due at once
   */
  void timer(int actor, int timer, long deadline);

  /** Lets virtual time go on. Until the first call it stands at 0. */
  void start();

  /** Stops virtual time: no timer is due until {@link #start}. */
  void stop();

  /** Stops all timers: the machine is reset. */
  void clear();

  /** Stops for good and forgets its timers. */
  @Override
  void close();
}
