package dev.troupe.runtime.machine;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.cpu.LocalApic;
import dev.troupe.runtime.cpu.Vcpu;
import java.util.List;

/**
 * The bus among the local APICs: finds whom an interrupt message is for (Intel SDM vol. 3A, 11.6.2)
 * and what it is to them.
 */
public final class InterruptRouter {
  /** Who hands an interrupt to a vCPU's pending set, and wakes the vCPU. */
  @FunctionalInterface
  public interface Poster {
    /** Posts to the vCPU of that index. */
    void post(int vcpu, Interrupt interrupt);
  }

  /** Destination of all APICs in both modes. */
  private static final int EVERYBODY = -1;

  private final List<Vcpu> vcpus;
  private final Poster poster;

  /** A router for a machine's vCPUs, in the order of their indexes. */
  public InterruptRouter(List<Vcpu> vcpus, Poster poster) {
    this.vcpus = List.copyOf(vcpus);
    this.poster = poster;
  }

  /** From the board: the I/O APIC or an MSI, whose destinations have 8 bits. */
  public void route(InterruptMessage message) {
    boolean all = !message.logical() && message.destination() == LocalApic.ALL_8;
    deliver(message, -1, all ? EVERYBODY : message.destination(), message.logical());
  }

  /** From a vCPU's ICR. */
  public void route(int sender, Exit.Ipi ipi) {
    InterruptMessage message = ipi.message();
    switch (ipi.shorthand()) {
      case NONE -> deliver(message, -1, message.destination(), message.logical());
      case SELF -> post(sender, message);
      case ALL -> deliver(message, -1, EVERYBODY, false);
      case OTHERS -> deliver(message, sender, EVERYBODY, false);
    }
  }

  private void deliver(InterruptMessage message, int except, int destination, boolean logical) {
    boolean one = message.delivery() == InterruptMessage.Delivery.LOWEST_PRIORITY;
    for (int i = 0; i < vcpus.size(); i++) {
      LocalApic apic = vcpus.get(i).cpu.apic;
      if (i != except && apic.matches(destination, logical) && (!one || apic.acceptsFixed())) {
        post(i, message);
        if (one) {
          // Arbitration is the chipset's choice (11.6.2.4): the first that the destination names,
          // of
          // those whose local APIC takes such an interrupt.
          return;
        }
      }
    }
  }

  private void post(int vcpu, InterruptMessage message) {
    switch (message.delivery()) {
      case FIXED, LOWEST_PRIORITY ->
          poster.post(vcpu, new Interrupt.Fixed(message.vector(), message.level()));
      case SMI -> poster.post(vcpu, new Interrupt.Smi());
      case NMI -> poster.post(vcpu, new Interrupt.Nmi());
      case INIT -> poster.post(vcpu, new Interrupt.Init());
      case STARTUP -> poster.post(vcpu, new Interrupt.Sipi(message.vector()));
      // The PIC's INTR has its own wire to LINT0; an external interrupt by message has no meaning
      // here.
      case EXT_INT, RESERVED -> {}
    }
  }
}
