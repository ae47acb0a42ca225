package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.isa.Insn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Pushes, or pops, one after another: one TLB check for all of them. If that fails, which may be
 * only because they cross a page, they go one by one, in code behind the trace.
 */
final class StackRuns {
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  /** Of one run: displacements are a signed byte. */
  private static final int MAX_LENGTH = 15;

  /** A run, the jump taken if its check fails, and where the code goes on behind it. */
  private record Run(int at, int length, Emission.Jump missed, int onward, Emission.Place place) {}

  private final Emission emission;
  private final MemoryAccess memory;
  private final Assembler code;
  private final List<Run> runs = new ArrayList<>();

  StackRuns(Emission emission, MemoryAccess memory) {
    this.emission = emission;
    this.memory = memory;
    code = emission.code;
  }

  void clear() {
    runs.clear();
  }

  /** How many instructions from here on are one run: within a block, of one kind. */
  int lengthAt(Trace trace, int at) {
    Kind kind = trace.plan(at).kind();
    if (kind != Kind.PUSH && kind != Kind.POP) {
      return 1;
    }
    int length = 0;
    while (length < MAX_LENGTH && belongs(trace.plan(at + length), kind)) {
      length++;
      if (trace.endsBlock(at + length - 1)) {
        break;
      }
    }
    return length;
  }

  private static boolean belongs(Plan plan, Kind kind) {
    Insn i = plan.insn();
    return plan.kind() == kind && !i.memory && register(i) != Cpu.RSP;
  }

  /** The operand; -1 for a constant. */
  private static int register(Insn i) {
    return switch (i.row.operand(0).kind()) {
      case OPCODE -> i.reg;
      case RM, RM_REGISTER -> i.rm;
      default -> -1;
    };
  }

  void emit(Trace trace, int at, int length) {
    boolean push = trace.plan(at).kind() == Kind.PUSH;
    int size = trace.insn(at).operandSize / 8;
    boolean wide = size == 8;
    int bytes = size * length;
    if (push) {
      memory.below(wide, bytes);
    } else {
      memory.at(wide, Cpu.RSP);
    }
    Emission.Jump missed = memory.probe(bytes, push);
    Emission.Place place = emission.place();
    for (int k = 0; k < length; k++) {
      Insn i = trace.insn(at + k);
      if (push) {
        push(i, wide, bytes - size * (k + 1));
      } else {
        pop(register(i), wide, size * k);
      }
    }
    if (push) {
      code.move(Registers.RSP, R11);
    } else {
      code.add(wide, Registers.RSP, R11, bytes);
    }
    runs.add(new Run(at, length, missed, code.position(), place));
  }

  private void push(Insn i, boolean wide, int offset) {
    int register = register(i);
    if (register >= 0) {
      code.memoryAt(wide, 0x89, memory.in(register, R15), offset);
    } else {
      code.memoryAt(wide, 0xC7, 0, offset);
      code.emit32((int) i.immediate);
    }
  }

  private void pop(int register, boolean wide, int offset) {
    if (Registers.inRegister(register)) {
      code.memoryAt(wide, 0x8B, Registers.host(register), offset);
    } else {
      code.memoryAt(wide, 0x8B, R15, offset);
      code.store(R15, State.register(register));
    }
  }

  /**
   * Emits the instructions of all runs one by one, behind the rest of the trace.
   *
   * @param resume is given where each of them begins, but for a run's first
   */
  void finish(int[] resume, IntConsumer instruction) {
    for (Run run : runs) {
      emission.toCode(run.missed, code.position());
      emission.at(run.place);
      for (int at = run.at; at < run.at + run.length; at++) {
        emission.instruction(at);
        if (at > run.at) {
          resume[at] = code.position();
        }
        instruction.accept(at);
      }
      code.jumpTo(run.onward);
    }
  }
}
