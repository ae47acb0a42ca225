package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;

/** Which of the host's registers holds which of the guest's (see {@link State}). */
final class Registers {
  /** The host's register with the guest's RSP. */
  static final int RSP = Assembler.R9;

  private Registers() {}

  /** Whether a guest's register is in one of the host's. */
  static boolean inRegister(int register) {
    return register < 9 || (register > 11 && register < 15);
  }

  /** The host's register that holds a guest's. */
  static int host(int register) {
    return register == Cpu.RSP ? RSP : register;
  }
}
