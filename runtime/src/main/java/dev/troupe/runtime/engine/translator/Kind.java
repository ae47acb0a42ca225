package dev.troupe.runtime.engine.translator;

/** How an instruction is emitted. */
enum Kind {
  /** Not at all: the interpreter does it. */
  STEP,
  /** As itself, on other registers. */
  COPY,
  NOP,
  LEA,
  DIV,
  PUSH,
  POP,
  LEAVE,
  PUSHF,
  SWAPGS,
  CLI,
  /** Not unless the instruction after it is in the same segment. */
  STI,
  STAC,
  CLAC,
  JCC,
  JMP,
  JMP_INDIRECT,
  CALL,
  CALL_INDIRECT,
  RET;

  /** Whether what runs next is not what follows in memory, or not always. */
  boolean transfers() {
    return ordinal() >= JCC.ordinal();
  }

  /** Whether a block ends with it although what follows in memory always runs next. */
  boolean goesOn() {
    return switch (this) {
      case CLI, STI, STAC, CLAC -> true;
      default -> false;
    };
  }

  /** Whether it goes where a register or memory says. */
  boolean indirect() {
    return this == JMP_INDIRECT || this == CALL_INDIRECT || this == RET;
  }
}
