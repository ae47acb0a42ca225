package dev.troupe.proto.message;

/**
 * An interrupt on its way to one or more local APICs, from the I/O APIC, an MSI write or an ICR
 * write; the fields are those of the ICR and of a redirection entry (Intel SDM vol. 3A, 11.6.1 and
 * 11.11).
 *
 * @param destination APIC id (physical) or logical destination; 0xFF (xAPIC) and 0xFFFFFFFF
 *     (x2APIC) broadcast
 * @param logical destination mode
 * @param delivery delivery mode
 * @param vector 0 to 255
 * @param level trigger mode: true level, false edge
 */
public record InterruptMessage(
    int destination, boolean logical, Delivery delivery, int vector, boolean level) {
  /** Delivery modes, in the order of their encoding. */
  public enum Delivery {
    FIXED,
    LOWEST_PRIORITY,
    SMI,
    RESERVED,
    NMI,
    INIT,
    STARTUP,
    EXT_INT
  }
}
