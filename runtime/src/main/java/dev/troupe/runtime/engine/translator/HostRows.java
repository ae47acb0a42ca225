package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.Row;
import java.util.List;

/**
 * Other forms of instructions whose own form the emitter cannot write: those that 64-bit code lacks
 * (INC and DEC by opcodes 40 to 4F, ALU operations by opcode 82), and MOV with an address in the
 * instruction, which becomes a ModRM operand.
 */
final class HostRows {
  /** By row number: the row to be taken, or null if the row has none or needs none. */
  private static final Row[] OTHERS = new Row[InstructionTable.rows().size()];

  static {
    List<Row> rows = InstructionTable.rows();
    for (Row row : rows) {
      if (!row.inMode(64) || hasOffset(row)) {
        OTHERS[row.number()] =
            rows.stream()
                .filter(other -> other.inMode(64) && !hasOffset(other) && same(row, other))
                .findFirst()
                .orElse(null);
      }
    }
  }

  private HostRows() {}

  private static boolean hasOffset(Row row) {
    return row.operands().stream().anyMatch(operand -> operand.kind() == Kind.OFFSET);
  }

  private static boolean same(Row row, Row other) {
    if (!row.meaning().equals(other.meaning())
        || !row.access().equals(other.access())
        || row.operands().size() != other.operands().size()) {
      return false;
    }
    for (int n = 0; n < row.operands().size(); n++) {
      if (!same(row.operand(n), other.operand(n))) {
        return false;
      }
    }
    return true;
  }

  private static boolean same(OperandCode operand, OperandCode other) {
    boolean place =
        switch (operand.kind()) {
          case OPCODE, OFFSET -> other.kind() == Kind.RM;
          case FIXED_REGISTER -> other == operand || other.kind() == Kind.REG;
          default -> other == operand;
        };
    return place && operand.size() == other.size();
  }

  /** The instruction itself, or the same in a form that the emitter can write. */
  static Insn of(Insn i) {
    Row row = i.row == null ? null : OTHERS[i.row.number()];
    if (row == null) {
      return i;
    }
    Insn other = new Insn();
    other.row = row;
    other.form = i.form;
    other.length = i.length;
    other.operandSize = i.operandSize;
    other.addressSize = i.addressSize;
    other.reg = i.reg;
    other.rm = i.rm;
    other.memory = i.memory;
    other.base = i.base;
    other.index = i.index;
    other.scale = i.scale;
    other.displacement = i.displacement;
    other.segment = i.segment;
    other.immediate = i.immediate;
    other.lock = i.lock;
    other.rip = i.rip;
    other.nextRip = i.nextRip;
    other.addressing = i.addressing;
    other.mode = i.mode;
    for (int n = 0; n < row.operands().size(); n++) {
      OperandCode operand = i.row.operand(n);
      if (operand.kind() == Kind.OPCODE) {
        other.rm = i.reg;
      } else if (operand.kind() == Kind.FIXED_REGISTER && row.operand(n).kind() == Kind.REG) {
        other.reg = operand.fixed();
      } else if (operand.kind() == Kind.OFFSET) {
        other.base = Cpu.ZERO;
        other.index = Cpu.ZERO;
      }
    }
    return other;
  }
}
