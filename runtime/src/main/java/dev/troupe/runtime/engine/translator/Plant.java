package dev.troupe.runtime.engine.translator;

/** What a test has in emitted code beside the guest's: a fault, to see what comes of it. */
@FunctionalInterface
interface Plant {
  /** Nothing. */
  Plant NONE = (code, number) -> {};

  /**
   * Called while code is emitted, behind the entries and before the first instruction.
   *
   * @param number of the code, from 0 in the order of emission
   */
  void into(Assembler code, int number);
}
