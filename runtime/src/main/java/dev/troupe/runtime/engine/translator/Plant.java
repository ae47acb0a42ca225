package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Fault;

/** What a test has in a translator beside what belongs there: an error, to see what comes of it. */
@FunctionalInterface
interface Plant {
  /** Nothing. */
  Plant NONE = (code, number) -> {};

  /** What a translator without errors does. */
  enum Duty {
    /** Lets nothing lead any more into code whose guest bytes have changed. */
    DROP,
    /** Looks into the execute TLB before a linked jump to another page. */
    LOOK
  }

  /**
   * Called while code is emitted, behind the entries and before the first instruction.
   *
   * @param number of the code, from 0 in the order of emission
   */
  void into(Assembler code, int number);

  /** Whether it is not done. */
  default boolean omits(Duty duty) {
    return false;
  }

  /** An instruction that emitted code has left to the interpreter faults. */
  default void faulting(Fault fault) {}
}
