package dev.troupe.runtime.machine;

/** Where a device's output line leads. */
public sealed interface Target {
  /** An input pin of a device on the board. */
  record Pin(int device, int pin) implements Target {}

  /** INTR, that is LINT0, of all vCPUs. */
  record Intr() implements Target {}

  /** NMI, that is LINT1, of all vCPUs. */
  record Nmi() implements Target {}

  /** IGNNE# of all vCPUs. */
  record IgnoreNumericError() implements Target {}
}
