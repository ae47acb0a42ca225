package dev.troupe.proto.message;

/**
 * What reaches a vCPU from the board or from another vCPU. Kept in a lock-free pending set, never
 * in a mailbox.
 */
public sealed interface Interrupt {
  /** The level of the vCPU's INTR pin (LINT0 in virtual wire mode), driven by the PIC. */
  record Intr(boolean high) implements Interrupt {}

  /** The level of the vCPU's IGNNE# pin, driven by the board's numeric error logic. */
  record IgnoreNumericError(boolean asserted) implements Interrupt {}

  /**
   * A fixed-mode interrupt; {@code level} is the trigger mode, which decides whether its EOI is
   * broadcast.
   */
  record Fixed(int vector, boolean level) implements Interrupt {}

  record Nmi() implements Interrupt {}

  record Smi() implements Interrupt {}

  record Init() implements Interrupt {}

  /** Start-up IPI: execution begins at {@code vector << 12} in real mode. */
  record Sipi(int vector) implements Interrupt {}
}
