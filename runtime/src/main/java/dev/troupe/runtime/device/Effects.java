package dev.troupe.runtime.device;

import dev.troupe.proto.message.InterruptMessage;

/**
 * What one handled message causes. The board's wiring, not the device, knows where an output leads.
 */
public interface Effects {
  /** Drives one of the device's output lines. The device reports changes only. */
  void line(int output, boolean high);

  /** Sets, or moves, the device's timer of that number; {@link Long#MAX_VALUE} stops it. */
  void timer(int timer, long deadline);

  /** Sends an interrupt message to the local APICs (I/O APIC, MSI). */
  void interrupt(InterruptMessage message);

  /**
   * Bytes for the device's backend: the console. Never more than the backend has room for: at the
   * machine's start the window that the device's constant names, then what it gives back by {@code
   * ConsoleRoom}.
   */
  void output(byte[] bytes);

  /**
   * Grants the device's backend room for more input: that many bytes on top of earlier grants, of
   * which the backend never sends more than it was granted. The device keeps free + granted =
   * capacity: it grants as the guest takes bytes, and on a reset (the one at power-on included)
   * what brings the grants outstanding to its capacity.
   */
  void room(int bytes);

  /** The machine's power or reset state changes. */
  void power(PowerEvent event);
}
