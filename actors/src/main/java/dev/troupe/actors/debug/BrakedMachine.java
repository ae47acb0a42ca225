package dev.troupe.actors.debug;

import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.vcpu.Brake;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A machine with a brake, for one thread that moves it and waits until it stands again. What the
 * machine tells comes in from its host's threads.
 */
public final class BrakedMachine {
  /** What a host does with its machine; each may come from any thread, and returns at once. */
  public interface Controls {
    /** Power on, or go on. */
    void resume();

    /** Stand; {@link MachineActor.Paused} follows. */
    void pause();
  }

  /** How a machine has come to stand. */
  enum Stand {
    BRAKED,
    PAUSED,
    /** It has ended. */
    GONE
  }

  private final Brake brake;
  private final BlockingQueue<Stand> told = new LinkedBlockingQueue<>();

  /** Pauses that have been asked for and have not been answered. */
  private final AtomicInteger pauses = new AtomicInteger();

  private volatile Controls controls;
  private boolean gone;

  /** A machine that has not begun. */
  public BrakedMachine(Brake brake) {
    this.brake = brake;
  }

  /** The brake; to be set while the machine stands. */
  Brake brake() {
    return brake;
  }

  /** The machine is there; once, before it is moved. */
  public void controls(Controls of) {
    controls = of;
  }

  /** The machine has told something. */
  public void event(MachineActor.Event event) {
    switch (event) {
      case MachineActor.Braked _ -> told.add(Stand.BRAKED);
      case MachineActor.Paused _ -> told.add(Stand.PAUSED);
      default -> {}
    }
  }

  /** The machine has ended, or never began. */
  public void ended() {
    told.add(Stand.GONE);
  }

  /** Whether it has ended. */
  boolean isGone() {
    return gone;
  }

  /** Makes it stand; from any thread. */
  void interrupt() {
    pauses.incrementAndGet();
    controls.pause();
  }

  /** Lets it go on. */
  void release() {
    answered();
    if (!gone) {
      controls.resume();
    }
  }

  /** Lets it go on; returns when it stands again, at once if it has been interrupted before. */
  Stand go() {
    if (pauses.get() > 0) {
      answered();
      return gone ? Stand.GONE : Stand.PAUSED;
    }
    release();
    return await();
  }

  /** Waits until it stands. */
  Stand await() {
    if (gone) {
      return Stand.GONE;
    }
    Stand how = take();
    answered();
    return how;
  }

  /** A pause that was asked for and is not needed any more is still going to be answered. */
  private void answered() {
    while (!gone && pauses.get() > 0) {
      take();
    }
  }

  private Stand take() {
    try {
      Stand next = told.take();
      if (next == Stand.PAUSED) {
        pauses.decrementAndGet();
      }
      gone |= next == Stand.GONE;
      return next;
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }
}
