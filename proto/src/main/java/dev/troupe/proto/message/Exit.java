package dev.troupe.proto.message;

/**
 * Why an engine's run ended: what a vCPU cannot do by itself. Sizes are bytes; values are
 * zero-extended.
 */
public sealed interface Exit {
  /**
   * The slice is used up, or the vCPU was asked to look at its pending set. Nothing to complete.
   */
  record TurnEnd() implements Exit {}

  /** IN, INS: complete with the value. */
  record PortRead(int port, int size) implements Exit {}

  /** OUT, OUTS: go on when handled. */
  record PortWrite(int port, int size, long value) implements Exit {}

  /** A load from guest-physical memory that is no RAM: complete with the value. */
  record MemoryRead(long address, int size) implements Exit {}

  /** A store to guest-physical memory that is no RAM: go on when handled. */
  record MemoryWrite(long address, int size, long value) implements Exit {}

  /** The vCPU is about to take an external interrupt: complete with the PIC's vector. */
  record InterruptAcknowledge() implements Exit {}

  /** EOI of a level-triggered interrupt: the I/O APIC has to see it before the vCPU goes on. */
  record EndOfInterrupt(int vector) implements Exit {}

  /**
   * ICR write: to be delivered to the local APICs that it names; never to be completed with a
   * value.
   */
  record Ipi(InterruptMessage message, Shorthand shorthand) implements Exit {
    public enum Shorthand {
      NONE,
      SELF,
      ALL,
      OTHERS
    }
  }

  /**
   * The FERR# pin has changed: asserted, the vCPU has stopped before an instruction that has to
   * wait for what the board makes of it. Never to be completed with a value.
   */
  record NumericError(boolean asserted) implements Exit {}

  /** HLT or MWAIT: nothing to do until an interrupt is pending. */
  record Halt() implements Exit {}

  /** Triple fault. */
  record Shutdown() implements Exit {}

  /** PAUSE; ends a turn in the deterministic schedule only. */
  record Pause() implements Exit {}
}
