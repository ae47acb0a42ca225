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

  /** Whether it goes where a register or memory says. */
  boolean indirect() {
    return this == JMP_INDIRECT || this == CALL_INDIRECT || this == RET;
  }
}
