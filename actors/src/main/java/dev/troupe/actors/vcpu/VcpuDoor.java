package dev.troupe.actors.vcpu;

import dev.troupe.actors.schedule.Schedule;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.cpu.Vcpu;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The way in to a vCPU. Interrupts go from any thread, without a lock, into its pending set and
 * never through its mailbox. Turns are messages, of which one at most is under way: a halted vCPU
 * has none and holds no thread.
 */
public final class VcpuDoor implements Schedule.Runner {
  private final Vcpu vcpu;
  private final UnaryOperator<Interrupt> admits;
  private final boolean postsWake;

  /** A turn runs or its message is on the way; at first the one that the actor owes. */
  private final AtomicBoolean underway = new AtomicBoolean(true);

  private volatile ActorRef<VcpuActor.Command> actor;

  /**
   * Makes a vCPU's door.
   *
   * @param admits what comes through in the place of an interrupt, null for nothing: a fault to be
   *     injected
   * @param postsWake whether an interrupt starts a halted vCPU's turn
   */
  public VcpuDoor(Vcpu vcpu, UnaryOperator<Interrupt> admits, boolean postsWake) {
    this.vcpu = vcpu;
    this.admits = admits;
    this.postsWake = postsWake;
  }

  void owner(ActorRef<VcpuActor.Command> owner) {
    actor = owner;
  }

  /** Hands an interrupt in. */
  public void post(Interrupt interrupt) {
    Interrupt admitted = admits.apply(interrupt);
    if (admitted != null) {
      vcpu.post(admitted);
      if (postsWake) {
        turn(); // whatever it had been told to look at before: that may have come without a wake-up
      }
    }
  }

  @Override
  public Vcpu vcpu() {
    return vcpu;
  }

  @Override
  public void turn() {
    if (!underway.get() && underway.compareAndSet(false, true)) {
      again();
    }
  }

  /** The next turn is this vCPU's, too: sends its message. */
  void again() {
    actor.tell(VcpuActor.Turn.TURN);
  }

  @Override
  public void hold() {
    underway.set(true);
  }

  @Override
  public void rest() {
    underway.set(false);
  }
}
