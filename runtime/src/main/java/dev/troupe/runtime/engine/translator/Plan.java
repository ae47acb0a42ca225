package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Insn;

/**
 * One instruction, and what the emitter has found out about it.
 *
 * @param copy its bytes, if it is a {@link Kind#COPY} or {@link Kind#X87}
 * @param access whether it goes through the TLB
 * @param writes general registers that it may change, a bit each
 * @param undefined what is to be done about flags that the host leaves otherwise than the guest's
 *     processor
 */
record Plan(
    Insn insn,
    Kind kind,
    FlagUse flags,
    byte[] copy,
    boolean access,
    int writes,
    UndefinedFlags undefined) {
  /** Of one that the interpreter does. */
  static Plan step(Insn insn) {
    return new Plan(insn, Kind.STEP, FlagUse.NONE, null, false, 0, UndefinedFlags.AS_HOST);
  }

  /** Whether what it does depends on the arithmetic flags. */
  boolean readsFlags() {
    return (insn.row.flagsRead() & Rflags.ARITHMETIC) != 0;
  }

  /** Whether emitting it destroys the host's flags before it sets any. */
  boolean clobbers() {
    return access
        || kind.indirect()
        || switch (kind) {
          case STEP, X87, DIV, CLI, STI, STAC, CLAC, RDTSC, RDTSCP, PAUSE -> true;
          default -> false;
        };
  }
}
