package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import dev.troupe.runtime.snapshot.StateVisitor;

/** The local APIC's interrupt command register, which sends IPIs (Intel SDM vol. 3A, 11.6.1). */
final class InterruptCommand {
  private static final int LEVEL_ASSERT = 1 << 14;
  private static final int TRIGGER_LEVEL = 1 << 15;
  private static final int LOGICAL = 1 << 11;

  private static final Delivery[] DELIVERIES = Delivery.values();
  private static final Exit.Ipi.Shorthand[] SHORTHANDS = Exit.Ipi.Shorthand.values();

  private final Cpu cpu;
  private final LocalApic apic;
  private int low;
  private int high;

  InterruptCommand(Cpu cpu, LocalApic apic) {
    this.cpu = cpu;
    this.apic = apic;
  }

  void reset() {
    low = 0;
    high = 0;
  }

  int low() {
    return low;
  }

  /** The destination: bits 24 to 31 of it, or in x2APIC mode all. */
  int high() {
    return high;
  }

  void setHigh(int value) {
    high = value;
  }

  /** Both halves, as the MSR has them. */
  long both() {
    return Integer.toUnsignedLong(low) | (long) high << 32;
  }

  /** SELF IPI, 0 to 255. */
  void sendSelf(int vector) {
    if (vector < ApicRegisters.LOWEST_VECTOR) {
      apic.raiseError(ApicRegisters.ERROR_SEND_VECTOR);
      return;
    }
    apic.accept(vector, false);
    cpu.attend();
  }

  /** Writes the low half, bits of {@link ApicRegisters#ICR_WRITABLE}: sends. */
  void send(int value) {
    low = value;
    Delivery delivery = DELIVERIES[value >> 8 & 7];
    Exit.Ipi.Shorthand shorthand = SHORTHANDS[value >> 18 & 3];
    int vector = value & 0xFF;
    boolean fixed = delivery == Delivery.FIXED || delivery == Delivery.LOWEST_PRIORITY;
    if (fixed && vector < ApicRegisters.LOWEST_VECTOR) {
      apic.raiseError(ApicRegisters.ERROR_SEND_VECTOR);
      return;
    }
    // INIT level de-assert only synchronized arbitration ids, on the bus of old.
    boolean deassert = (value & (TRIGGER_LEVEL | LEVEL_ASSERT)) == TRIGGER_LEVEL;
    if ((delivery == Delivery.INIT && deassert) || delivery == Delivery.RESERVED) {
      return;
    }
    if (shorthand == Exit.Ipi.Shorthand.SELF) {
      if (fixed) {
        sendSelf(vector);
      } else if (delivery == Delivery.NMI) {
        apic.requestNmi();
      }
      return;
    }
    boolean logical = (value & LOGICAL) != 0;
    int destination = apic.x2apic() ? high : high >>> 24;
    if (!apic.x2apic() && !logical && destination == LocalApic.ALL_8) {
      destination = -1;
    }
    InterruptMessage message = new InterruptMessage(destination, logical, delivery, vector, false);
    cpu.queueExit(new Exit.Ipi(message, shorthand));
  }

  /** Among the APIC's own. */
  void state(StateVisitor v) {
    low = v.bits("commandLow", low, ApicRegisters.ICR_WRITABLE);
    high = v.int32("commandHigh", high);
  }
}
