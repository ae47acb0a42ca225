package dev.troupe.runtime.engine.translator;

/**
 * Why and where emitted code was left, in the 32 bits that a stub pushes: the trace's number, the
 * instruction's index in it, the kind, and whether its segment had been charged to the budget.
 */
final class ExitWord {
  /** The instruction has not begun: it is to be interpreted. */
  static final int STEP = 0;

  /** As {@link #STEP}; the budget may be too small to go on. */
  static final int BUDGET = 1;

  /** A block is done and goes on at its end; the budget is exact. */
  static final int NEXT = 2;

  /** The same, on at its last instruction's target. */
  static final int TAKEN = 3;

  /** The same, on at {@link State#TARGET}. */
  static final int INDIRECT = 4;

  /** As {@link #NEXT}; other rights, and no execute TLB entry for them. */
  static final int CHANGED = 5;

  /** As {@link #STEP}; the slot in {@link State#TARGET} is not worth having. */
  static final int UNSTEADY = 6;

  /** No word of a stub's, whose kind it has not: the host has raised a signal. */
  static final int FAULT = -1;

  /** Traces that can have a number. */
  static final int MAX_NUMBERS = 1 << 20;

  private ExitWord() {}

  static int of(int number, int index, int kind, boolean charged) {
    return number << 12 | index << 4 | kind << 1 | (charged ? 1 : 0);
  }

  static int number(int word) {
    return word >>> 12;
  }

  static int index(int word) {
    return word >>> 4 & 0xFF;
  }

  static int kind(int word) {
    return word >>> 1 & 7;
  }

  static boolean charged(int word) {
    return (word & 1) != 0;
  }
}
