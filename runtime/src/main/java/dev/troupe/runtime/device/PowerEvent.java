package dev.troupe.runtime.device;

/** What a device can do to the whole machine. */
public sealed interface PowerEvent {
  /** Soft-off (ACPI S5). */
  record PowerOff() implements PowerEvent {}

  /** Reset of the machine: the i8042's pulse, port 0xCF9, the ACPI reset register. */
  record Reset() implements PowerEvent {}

  /**
   * The debug exit port was written with {@code value}; the process exits with {@code (2 * value +
   * 1) & 255}.
   */
  record DebugExit(long value) implements PowerEvent {}
}
