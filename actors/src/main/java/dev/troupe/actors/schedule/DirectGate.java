package dev.troupe.actors.schedule;

import java.util.function.Consumer;

/**
 * The parallel schedule's gate: lets in at once what is offered, as far as there is room. Holds the
 * vCPUs from the very exit that put out more than the outside may be behind with, and has the
 * machine stand still until it has caught up.
 */
public final class DirectGate implements InputGate {
  /**
   * Unwritten output above which the machine stands: half the window that the device may fill
   * without waiting, so that a guest never finds its transmitter stuck.
   */
  static final int HIGH_WATER = 32 * 1024;

  /** Unwritten output from which on it goes on. */
  static final int LOW_WATER = 4 * 1024;

  private final Inside inside;
  private final TurnGate turns;
  private final Consumer<Boolean> machine;

  // Guarded by this, so that bytes from several threads keep the order in which they were offered.
  private final InputQueue queue = new InputQueue();
  private boolean open;
  private int unwritten;
  private boolean behind;

  /**
   * A gate that is shut.
   *
   * @param turns held while the outside is behind
   * @param machine told when the outside falls behind, and when it has caught up: lets the vCPUs
   *     that were held go on
   */
  public DirectGate(Inside inside, TurnGate turns, Consumer<Boolean> machine) {
    this.inside = inside;
    this.turns = turns;
    this.machine = machine;
  }

  @Override
  public synchronized void offer(byte[] bytes, Runnable taken) {
    queue.add(bytes, taken);
    deliver();
  }

  @Override
  public synchronized void grant(int bytes) {
    queue.grant(bytes);
    deliver();
  }

  @Override
  public synchronized void open(boolean now) {
    open = now;
    deliver();
  }

  private void deliver() {
    byte[] bytes = take();
    while (bytes.length > 0) {
      inside.input(bytes);
      bytes = take();
    }
  }

  private byte[] take() {
    return open ? queue.take() : InputQueue.NOTHING;
  }

  @Override
  public void written(int bytes) {
    inside.room(bytes);
    unwritten(-bytes);
  }

  @Override
  public void pressPowerButton() {
    inside.powerButton();
  }

  @Override
  public void put(int bytes) {
    unwritten(bytes);
  }

  private synchronized void unwritten(int change) {
    unwritten += change;
    boolean now = unwritten > (behind ? LOW_WATER : HIGH_WATER);
    if (now != behind) {
      behind = now;
      turns.hold(now);
      machine.accept(now);
    }
  }
}
