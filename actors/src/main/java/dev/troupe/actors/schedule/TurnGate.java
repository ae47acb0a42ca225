package dev.troupe.actors.schedule;

/**
 * Whether a machine's vCPUs may run guest code. Closed by the device that switches the machine off
 * or resets it, so that no vCPU goes on after the write that did it, and held by a console that is
 * behind; looked at before a turn and after every exit.
 */
public final class TurnGate {
  private volatile boolean open = true;
  private volatile boolean held;

  /** False: end the turn, and wait for the machine's word. */
  public boolean isOpen() {
    return open && !held;
  }

  /** The guest has ended, or is being reset. */
  boolean isClosed() {
    return !open;
  }

  /** From any thread. */
  public void close() {
    open = false;
  }

  /** Holds the vCPUs until further notice, whether open or closed; from any thread. */
  void hold(boolean now) {
    held = now;
  }

  /** The machine starts anew. */
  public void open() {
    open = true;
  }
}
