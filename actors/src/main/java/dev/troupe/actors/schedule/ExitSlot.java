package dev.troupe.actors.schedule;

import java.util.concurrent.locks.LockSupport;

/**
 * The completion slot of one vCPU, used again for each of its synchronous exits. Whoever drains the
 * board writes it; the vCPU's thread reads it after {@link Board#call}.
 */
public final class ExitSlot {
  /** A message that carries the exit which it is the root of. */
  public interface Root {
    /** The slot to be completed when all that this message causes on the board has been handled. */
    ExitSlot exit();
  }

  /** {@link #vcpu} of a slot that is no vCPU's. */
  public static final int NO_VCPU = -1;

  private final int vcpu;

  /** Board messages of this exit not yet handled, its root included. Drainer only. */
  int open;

  /**
   * Board messages of this exit handled so far, its root included. Drainer only until {@link
   * #done}.
   */
  int handled;

  /** The root got onto the board. The vCPU's thread only. */
  boolean sent;

  /** Publishes all other fields to the vCPU's thread. */
  volatile boolean done = true;

  /** The vCPU's thread while it is parked, or about to be. */
  volatile Thread waiter;

  private boolean replied;
  private long value;

  /** A slot of the vCPU with this index, or of {@link #NO_VCPU}. */
  public ExitSlot(int vcpu) {
    this.vcpu = vcpu;
  }

  /** Whose it is. */
  public int vcpu() {
    return vcpu;
  }

  /**
   * Answers the exit. Called by the device actor while it handles the root; handing the value over
   * is the board's business.
   *
   * @param answer the value read, zero-extended; 0 for a write
   */
  public void reply(long answer) {
    value = answer;
    replied = true;
  }

  /** False where the addressed actor failed or was stopped: the vCPU must then stop its machine. */
  public boolean replied() {
    return replied && !overrun();
  }

  /** What the device answered, or -1 if it did not. */
  public long value() {
    return value;
  }

  /**
   * Messages that the last exit caused on the board, its root included; 0 if the root never got
   * there.
   */
  public int messages() {
    return handled;
  }

  /**
   * True if the last exit caused more messages than {@link Board#MAX_MESSAGES_PER_EXIT}; the rest
   * were discarded.
   */
  public boolean overrun() {
    return handled > Board.MAX_MESSAGES_PER_EXIT;
  }

  void begin() {
    if (!done) {
      throw new IllegalStateException("a vCPU has one exit at a time: open=" + open);
    }
    replied = false;
    value = -1L;
    sent = false;
    open = 1;
    handled = 0;
    done = false;
  }

  void end() {
    done = true;
    Thread w = waiter;
    if (w != null) {
      LockSupport.unpark(w);
    }
  }
}
