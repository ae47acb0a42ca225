package dev.troupe.actors.schedule;

/** The parallel schedule's gate: lets in at once what is offered, as far as there is room. */
public final class DirectGate implements InputGate {
  private final Inside inside;

  // Guarded by this, so that bytes from several threads keep the order in which they were offered.
  private final InputQueue queue = new InputQueue();
  private boolean open;

  /** A gate that is shut. */
  public DirectGate(Inside inside) {
    this.inside = inside;
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
  }

  @Override
  public void pressPowerButton() {
    inside.powerButton();
  }

  @Override
  public void put(int bytes) {}
}
