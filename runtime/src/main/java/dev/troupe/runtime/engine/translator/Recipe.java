package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;

/**
 * How to have the arithmetic flags of an instruction again, after something has destroyed the
 * host's: the same operation once more, in a scratch register, on operands that are still where
 * they were or have been put into {@link State}'s slots. It costs nothing where nobody asks.
 *
 * @param operation what is done again
 * @param bits its width
 * @param first the first operand, before the instruction; of {@link Form#LOGIC} and {@link
 *     Form#INVERSE} the result
 * @param second the second one
 */
record Recipe(Arithmetic operation, int bits, Form form, Operand first, Operand second, Insn insn) {
  /** What is known of the first operand. */
  enum Form {
    /** It is there. */
    AGAIN,
    /** Its result is, and says all. */
    LOGIC,
    /** Its result is, and it can be undone. */
    INVERSE
  }

  /** Where an operand is. */
  sealed interface Operand {}

  /** A guest's general register that has not changed since. */
  record Register(int number) implements Operand {}

  record Constant(long value) implements Operand {}

  /** A slot in the state, which the instruction itself fills. */
  record Slot(int offset) implements Operand {}

  /** Of operations with one operand. */
  record None() implements Operand {}

  private static final None NONE = new None();
  private static final Slot FIRST = new Slot(State.FIRST);
  private static final Slot SECOND = new Slot(State.SECOND);

  /** In place of a register's number: the operand is in memory, or a constant. */
  private static final int MEMORY = -1;

  private static final int CONSTANT = -2;

  /**
   * The recipe for a trace's instruction; null if nobody will want one, or there is none.
   *
   * @param charged index of the instruction before which the first segment is charged
   */
  static Recipe of(Trace trace, int index, int charged) {
    Plan plan = trace.plan(index);
    Insn i = plan.insn();
    Arithmetic operation = Arithmetic.of(i.row.meaning());
    if (operation == null || plan.flags() != FlagUse.SETS || i.row.operands().isEmpty()) {
      return null;
    }
    int a = register(i, 0);
    int b = i.row.operands().size() < 2 ? CONSTANT : register(i, 1);
    boolean result = !operation.compares();
    if (a > 15 || b > 15 || a == CONSTANT || (result && a == MEMORY)) {
      return null;
    }
    Range range = Range.of(trace, index, charged);
    return range.useful ? of(operation, i, a, b, range.overwritten) : null;
  }

  private static Recipe of(Arithmetic operation, Insn i, int a, int b, int overwritten) {
    int bits = i.row.operand(0).bits(i.operandSize);
    Operand constant = i.row.operands().size() < 2 ? NONE : new Constant(constant(i));
    Operand second = b == CONSTANT ? constant : kept(b, overwritten, SECOND);
    if (operation == Arithmetic.IMUL3) {
      // The source is the second operand; the register that it writes is none.
      boolean lost = b == a;
      return new Recipe(
          operation,
          bits,
          Form.AGAIN,
          lost ? FIRST : kept(b, overwritten, FIRST),
          new Constant(i.immediate),
          i);
    }
    if (operation.compares()) {
      Operand first = kept(a, overwritten, FIRST);
      return new Recipe(operation, bits, Form.AGAIN, first, a == b ? first : second, i);
    }
    boolean intact = (overwritten >>> a & 1) == 0;
    Operand there = new Register(a);
    if (intact && (operation.logic() || (operation == Arithmetic.SUB && a == b))) {
      return new Recipe(operation, bits, Form.LOGIC, there, NONE, i);
    }
    if (a == b) {
      return new Recipe(operation, bits, Form.AGAIN, FIRST, FIRST, i);
    }
    boolean invertible =
        operation == Arithmetic.ADD || operation == Arithmetic.SUB || operation == Arithmetic.NEG;
    return intact && invertible
        ? new Recipe(operation, bits, Form.INVERSE, there, second, i)
        : new Recipe(operation, bits, Form.AGAIN, FIRST, second, i);
  }

  private static Operand kept(int register, int overwritten, Slot slot) {
    return register == MEMORY || (overwritten >>> register & 1) != 0
        ? slot
        : new Register(register);
  }

  private static int register(Insn i, int operand) {
    OperandCode code = i.row.operand(operand);
    return switch (code.kind()) {
      case REG, OPCODE -> i.reg;
      case RM, RM_REGISTER -> i.memory ? MEMORY : i.rm;
      case MEMORY -> MEMORY;
      case FIXED_REGISTER -> code.fixed();
      default -> CONSTANT;
    };
  }

  private static long constant(Insn i) {
    return i.row.operands().getLast().kind() == OperandCode.Kind.ONE ? 1 : i.immediate;
  }

  /** Whether the first operand has to be put into its slot. */
  boolean keepsFirst() {
    return first instanceof Slot;
  }

  boolean keepsSecond() {
    return second instanceof Slot(int offset) && offset == State.SECOND;
  }

  /** The guest's register that is the first operand before the instruction; -1: it is in memory. */
  int firstRegister() {
    return register(insn, operation == Arithmetic.IMUL3 ? 1 : 0);
  }

  int secondRegister() {
    return register(insn, 1);
  }

  /** The flags, into the host's; r15 is lost. */
  void emit(Assembler a) {
    switch (form) {
      case LOGIC -> {
        load(a);
        a.arithmetic(Arithmetic.TEST, bits, Assembler.R15, Assembler.R15);
      }
      case INVERSE -> {
        load(a);
        switch (operation) {
          case NEG -> apply(a, Arithmetic.NEG);
          case ADD -> apply(a, Arithmetic.SUB);
          default -> apply(a, Arithmetic.ADD);
        }
        apply(a, operation);
      }
      case AGAIN -> {
        if (operation.compares()
            && first instanceof Register(int number)
            && Registers.inRegister(number)) {
          apply(a, operation, Registers.host(number));
        } else {
          load(a);
          apply(a, operation);
        }
      }
    }
  }

  private void load(Assembler a) {
    switch (first) {
      case Register(int number) when Registers.inRegister(number) ->
          a.move(Assembler.R15, Registers.host(number));
      case Register(int number) -> a.load(Assembler.R15, State.register(number));
      case Slot(int offset) -> a.load(Assembler.R15, offset);
      default -> throw new IllegalStateException("no first operand: " + this);
    }
  }

  private void apply(Assembler a, Arithmetic what) {
    apply(a, what, Assembler.R15);
  }

  private void apply(Assembler a, Arithmetic what, int to) {
    switch (second) {
      case None() -> a.arithmetic(what, bits, to, to);
      case Constant(long value) -> a.arithmeticConstant(what, bits, to, (int) value);
      case Register(int number) when Registers.inRegister(number) ->
          a.arithmetic(what, bits, to, Registers.host(number));
      case Register(int number) -> a.arithmeticState(what, bits, to, State.register(number));
      case Slot(int offset) -> a.arithmeticState(what, bits, to, offset);
    }
  }

  /** What happens until the next instruction that sets all flags, or takes them to memory. */
  private record Range(boolean useful, int overwritten) {
    static Range of(Trace trace, int index, int charged) {
      int overwritten = 0;
      boolean clobbered = false;
      int at = index;
      for (int n = 0; n < trace.count && trace.goesOn(at); n++) {
        at = trace.after(at);
        Plan plan = trace.plan(at);
        clobbered |= at == charged || at == trace.loop || plan.clobbers();
        if (plan.kind().indirect() && trace.way(at) != Trace.Way.RETURN) {
          return new Range(false, 0); // they will be wanted in memory: better saved once
        }
        if (plan.kind() == Kind.STEP
            || plan.flags() == FlagUse.SETS
            || plan.flags() == FlagUse.CHANGES) {
          break;
        }
        overwritten |= plan.writes();
      }
      return new Range(clobbered, overwritten);
    }
  }
}
