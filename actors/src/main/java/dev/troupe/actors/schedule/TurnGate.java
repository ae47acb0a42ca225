package dev.troupe.actors.schedule;

/**
 * Whether a machine's vCPUs may run guest code. Closed by the device that switches the machine off
 * or resets it, so that no vCPU goes on after the write that did it; looked at before a turn and
 * after every exit.
 */
public final class TurnGate {
  private volatile boolean open = true;

  /** False: end the turn, and wait for the machine's word. */
  public boolean isOpen() {
    return open;
  }

  /** From any thread. */
  public void close() {
    open = false;
  }

  /** The machine starts anew. */
  public void open() {
    open = true;
  }
}
