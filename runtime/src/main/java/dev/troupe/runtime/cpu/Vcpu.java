package dev.troupe.runtime.cpu;

/** One vCPU: architectural state, local APIC, pending interrupts, and the exit that waits for its completion. */
public final class Vcpu {
  /** Answers the last exit's question: the value read, or the vector acknowledged. */
  public void complete(long value) {
    throw new UnsupportedOperationException("vcpu " + value);
  }
}
