package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;

/** How an instruction is emitted. */
enum Kind {
  /** Not at all: the interpreter does it. */
  STEP,
  /** As itself, on other registers. */
  COPY,
  /** As itself, on the host's x87 registers. */
  X87,
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
  /** Where the machine's time follows the host's clock; else it is stepped at run time. */
  RDTSC,
  RDTSCP,
  /** While {@link Cpu#untoldPauses} lasts. */
  PAUSE,
  MOVS,
  STOS,
  JCC,
  JMP,
  JMP_INDIRECT,
  CALL,
  CALL_INDIRECT,
  RET,
  /** In 64-bit code at CPL 3. */
  SYSCALL,
  /** To 64-bit code, at CPL 0. */
  SYSRET;

  /** Whether what runs next is not what follows in memory, or not always. */
  boolean transfers() {
    return ordinal() >= JCC.ordinal();
  }

  /** Whether a block ends with it although what follows in memory always runs next. */
  boolean goesOn() {
    return switch (this) {
      case CLI, STI, STAC, CLAC, RDTSC, RDTSCP, PAUSE, MOVS, STOS -> true;
      default -> false;
    };
  }

  /** Whether it goes where a register or memory says. */
  boolean indirect() {
    return switch (this) {
      case JMP_INDIRECT, CALL_INDIRECT, RET, SYSCALL, SYSRET -> true;
      default -> false;
    };
  }
}
