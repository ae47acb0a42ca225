package dev.troupe.actors.vcpu;

import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.cpu.Vcpu;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The way in for interrupts: from any thread, without a lock, into the vCPU's pending set and never
 * through its mailbox. A halted vCPU holds no thread and has no message under way; whoever posts to
 * it sends the one that starts its next turn.
 */
public final class VcpuDoor {
  private final Vcpu vcpu;
  private final Predicate<Interrupt> admits;
  private final AtomicBoolean halted = new AtomicBoolean();
  private volatile ActorRef<VcpuActor.Command> actor;

  /**
   * Makes a vCPU's door.
   *
   * @param admits false drops an interrupt, as if it had never been sent: a fault to be injected
   */
  public VcpuDoor(Vcpu vcpu, Predicate<Interrupt> admits) {
    this.vcpu = vcpu;
    this.admits = admits;
  }

  void owner(ActorRef<VcpuActor.Command> owner) {
    actor = owner;
  }

  /** Hands an interrupt in, and wakes the vCPU if it is halted. */
  public void post(Interrupt interrupt) {
    if (admits.test(interrupt)) {
      vcpu.post(interrupt);
      wake(); // whatever else it had been told to look at: that may have come without a wake-up
    }
  }

  /** Starts a turn if the vCPU is halted: its timer is due, or it was reset. */
  public void wake() {
    if (halted.get() && halted.compareAndSet(true, false)) {
      actor.tell(VcpuActor.Turn.TURN);
    }
  }

  /** The vCPU's actor has nothing to run. What was posted meanwhile wakes it at once. */
  void halt() {
    halted.set(true);
    if (vcpu.cpu.attention()) {
      wake();
    }
  }
}
