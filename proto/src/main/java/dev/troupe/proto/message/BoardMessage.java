package dev.troupe.proto.message;

/**
 * What a device receives: the messages inside one machine. Addresses are the guest's own
 * (absolute), sizes are bytes (1, 2, 4 or 8), values are zero-extended.
 */
public sealed interface BoardMessage {
  /** A vCPU reads; the device replies with the value. Synchronous. */
  record IoRead(AddressSpace space, long address, int size) implements BoardMessage {}

  /**
   * A vCPU writes. Synchronous: the vCPU goes on when all that this causes on the board has been
   * handled.
   */
  record IoWrite(AddressSpace space, long address, int size, long value) implements BoardMessage {}

  /** An input pin of the receiving device now has this level. */
  record LineLevel(int pin, boolean high) implements BoardMessage {}

  /** The timer that the device had set for {@code deadline} (virtual nanoseconds) is due. */
  record TimerFired(int timer, long deadline) implements BoardMessage {}

  /** A vCPU's interrupt acknowledge cycle (INTA); the PIC replies with the vector. Synchronous. */
  record InterruptAcknowledge(int vcpu) implements BoardMessage {}

  /**
   * A local APIC broadcasts the end of a level-triggered interrupt to the I/O APIC. Synchronous.
   */
  record EndOfInterrupt(int vector) implements BoardMessage {}

  /**
   * The input gate: bytes from outside, never more than the device granted its backend room for.
   */
  record ConsoleInput(byte[] bytes) implements BoardMessage {}

  /** The input gate: the console has written so many more bytes out and has room for as many. */
  record ConsoleRoom(int bytes) implements BoardMessage {}

  /** The operator pressed the power button. */
  record PowerButton() implements BoardMessage {}

  /** Machine reset: the device returns to its power-on state. */
  record Reset() implements BoardMessage {}
}
