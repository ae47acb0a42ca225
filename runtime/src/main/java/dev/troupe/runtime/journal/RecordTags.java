package dev.troupe.runtime.journal;

/**
 * The first byte of each record, and of each interrupt and deed in one. Never changed, only added
 * to.
 */
final class RecordTags {
  static final int TYPED = 1;
  static final int POWER_BUTTON = 2;
  static final int STATE_HASH = 3;
  static final int CHECKPOINT = 4;
  static final int END = 5;
  static final int REPLY = 6;
  static final int INTERRUPTED = 7;
  static final int INJECTED = 8;
  static final int TURN = 9;
  static final int TURN_AS_DRAWN = 10;
  static final int CUT = 11;

  // Board messages.
  static final int IO_READ_PORT = 16;
  static final int IO_READ_MEMORY = 17;
  static final int IO_WRITE_PORT = 18;
  static final int IO_WRITE_MEMORY = 19;
  static final int LINE_LEVEL = 20;
  static final int TIMER_FIRED = 21;
  static final int INTERRUPT_ACKNOWLEDGE = 22;
  static final int END_OF_INTERRUPT = 23;
  static final int CONSOLE_INPUT = 24;
  static final int CONSOLE_ROOM = 25;
  static final int PRESS_POWER_BUTTON = 26;
  static final int RESET = 27;

  // Interrupts.
  static final int INTR = 1;
  static final int IGNORE_NUMERIC_ERROR = 2;
  static final int FIXED = 3;
  static final int NMI = 4;
  static final int SMI = 5;
  static final int INIT = 6;
  static final int SIPI = 7;

  // What a fault rule did.
  static final int DROPPED = 1;
  static final int DELAYED = 2;
  static final int DUPLICATED = 3;
  static final int REORDERED = 4;
  static final int CORRUPTED = 5;
  static final int ANSWERED = 6;
  static final int RELEASED = 7;

  private RecordTags() {}
}
