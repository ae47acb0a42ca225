package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Insn;

/**
 * One instruction, and what the emitter has found out about it.
 *
 * @param copy its bytes, if it is a {@link Kind#COPY}
 * @param access whether it goes through the TLB
 * @param writes general registers that it may change, a bit each
 */
record Plan(Insn insn, Kind kind, FlagUse flags, byte[] copy, boolean access, int writes) {
  /** Whether emitting it destroys the host's flags before it sets any. */
  boolean clobbers() {
    return access || kind == Kind.DIV || kind == Kind.STEP || kind.indirect();
  }
}
