package dev.troupe.runtime.memory;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Which vCPUs of a machine run guest code now, and where each of them last stood between two
 * instructions. It answers two questions that no lock on the fast path could: when has every store
 * that another vCPU may have been in the middle of been done, and when does nobody else run.
 *
 * <p>A vCPU inside a turn passes a point between instructions at least once a block; asked by its
 * nudge it does so soon. One that waits here stands between instructions too, so that two that wait
 * for each other both go on.
 */
public final class Turns {
  private final List<Turn> turns = new CopyOnWriteArrayList<>();

  /** Who is alone, or null. */
  private volatile Turn alone;

  /** Adds a vCPU; {@code nudge} makes it {@link Turn#pass} soon, from any thread. */
  public Turn add(Runnable nudge) {
    Turn turn = new Turn(nudge);
    turns.add(turn);
    return turn;
  }

  /** One vCPU's turns. All methods but {@link #mine} are its own thread's. */
  public final class Turn {
    private final Runnable nudge;

    /** The thread that runs guest code of this vCPU; null between turns and while it waits here. */
    private volatile Thread owner;

    /** Points between instructions that were passed; written by the owner only. */
    private volatile long passes;

    private Turn(Runnable nudge) {
      this.nudge = nudge;
    }

    /** A turn begins. Waits while another vCPU is alone. */
    public void begin() {
      count(); // a waiter that sees the old owner again sees this, too
      enter();
    }

    private void count() {
      long passed = passes + 1;
      passes = passed;
    }

    private void enter() {
      owner = Thread.currentThread();
      while (alone != null && alone != this) {
        owner = null;
        await(() -> alone == null);
        owner = Thread.currentThread();
      }
    }

    /** The turn ends. */
    public void end() {
      owner = null;
    }

    /** The vCPU stands between two instructions; waits while another is alone. */
    public void pass() {
      count();
      if (alone != null) {
        enter();
      }
    }

    /** True if the calling thread runs this vCPU's guest code now. */
    public boolean mine() {
      return owner == Thread.currentThread();
    }

    /** True if any thread runs this vCPU's guest code now. */
    public boolean running() {
      return owner != null;
    }

    /**
     * Returns when every other vCPU has stood between two instructions since the call. The caller
     * stands so itself.
     */
    public void awaitOthers() {
      owner = null;
      for (Turn other : turns) {
        if (other != this) {
          other.awaitPass();
        }
      }
      enter();
    }

    private void awaitPass() {
      long seen = passes;
      if (owner != null) {
        nudge.run();
        await(() -> owner == null || passes != seen);
      }
    }

    /**
     * Does {@code step} while no other vCPU is inside a turn: for what must be atomic and has no
     * instruction on this host. The instruction in progress must not have written anything yet, and
     * must translate its addresses inside {@code step}.
     */
    public void alone(Runnable step) {
      owner = null;
      while (!claim(this)) {
        await(() -> alone == null);
      }
      owner = Thread.currentThread();
      try {
        for (Turn other : turns) {
          if (other != this && other.owner != null) {
            other.nudge.run();
            await(() -> other.owner == null);
          }
        }
        step.run();
      } finally {
        alone = null;
      }
    }
  }

  private synchronized boolean claim(Turn turn) {
    if (alone != null) {
      return false;
    }
    alone = turn;
    return true;
  }

  /** A condition that another vCPU's thread is about to make true. */
  @FunctionalInterface
  private interface Condition {
    boolean holds();
  }

  // Longer than a block takes; then the other thread may need this core to go on.
  private static final int SPINS = 200;

  @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but how long the wait is
  private static void await(Condition condition) {
    for (int i = 0; !condition.holds(); i++) {
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }
}
