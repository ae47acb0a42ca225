package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;

/**
 * A load and the store right behind it that go to one place, such as {@code addsd xmm0,[rax]; movsd
 * [rax],xmm0}: the load asks for the right to write, which is never without the one to read, and
 * the store takes the address that it left. Where the load asks in vain it is stepped, and the
 * store after it begins a block of its own.
 */
final class SamePlace {
  private SamePlace() {}

  /** Whether the instruction is such a load, and the next one its store. */
  static boolean loads(Trace trace, int at) {
    if (at + 1 >= trace.count || trace.endsBlock(at) || at + 1 == trace.loop) {
      return false;
    }
    Plan load = trace.plan(at);
    Plan store = trace.plan(at + 1);
    Insn a = load.insn();
    Insn b = store.insn();
    if (!plain(load) || !plain(store)) {
      return false;
    }
    OperandCode from = Copies.memoryOperand(a);
    OperandCode to = Copies.memoryOperand(b);
    int pointers = 1 << a.base | 1 << a.index;
    return from.bits(a.operandSize) == to.bits(b.operandSize)
        && !a.row.writes(a.row.operands().indexOf(from))
        && b.row.writes(b.row.operands().indexOf(to))
        && (load.writes() & pointers) == 0
        && a.base == b.base
        && a.index == b.index
        && a.scale == b.scale
        && a.displacement == b.displacement
        && a.ripRelative == b.ripRelative
        && a.segment == b.segment
        && a.addressing == b.addressing
        && a.addressSize == b.addressSize;
  }

  /** Copied, with nothing but the check between its address and itself, and nothing behind it. */
  private static boolean plain(Plan plan) {
    Insn i = plan.insn();
    return plan.kind() == Kind.COPY
        && i.memory
        && !i.ripRelative
        && plan.flags() == FlagUse.NONE
        && (Copies.memoryOperand(i).bits(i.operandSize) < 128 || i.row.has(Row.UNALIGNED));
  }
}
