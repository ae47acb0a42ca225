package dev.troupe.runtime.isa;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.OperandCode.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InstructionTableTest {
  private static final List<Row> ROWS = InstructionTable.rows();

  @Test
  void numbersArePositions() {
    for (int n = 0; n < ROWS.size(); n++) {
      assertThat(ROWS.get(n).number()).isEqualTo(n);
    }
  }

  @Test
  void noOpcodeStandsTwiceInOneMode() {
    for (int mode : new int[] {16, 64}) {
      Set<String> seen = new HashSet<>();
      for (Row row : ROWS) {
        if (row.inMode(mode)) {
          assertThat(seen.add(row.opcode())).as("mode=%d row=%s", mode, row).isTrue();
        }
      }
    }
  }

  @Test
  void lockIsForRowsThatReadAndWriteTheirFirstOperandInMemory() {
    for (Row row : ROWS) {
      if (row.has(Row.LOCK)) {
        Kind kind = row.operand(0).kind();
        assertThat(kind == Kind.RM || kind == Kind.MEMORY).as(row.toString()).isTrue();
        assertThat(row.reads(0) && row.writes(0)).as(row.toString()).isTrue();
      }
    }
  }

  @Test
  void aFlagIsWrittenOrUndefinedButNotBoth() {
    for (Row row : ROWS) {
      assertThat(row.flagsWritten() & row.flagsUndefined()).as(row.toString()).isZero();
    }
  }

  @Test
  void aModRmByteIsThereExactlyIfAnOperandOrTheOpcodeNeedsIt() {
    for (Row row : ROWS) {
      Opcode opcode = row.encoding();
      boolean needed = opcode.digit() >= 0;
      for (OperandCode operand : row.operands()) {
        needed |=
            switch (operand.kind()) {
              case RM,
                  RM_REGISTER,
                  REG,
                  MEMORY,
                  SEGMENT,
                  CONTROL,
                  DEBUG,
                  MMX_REG,
                  MMX_RM,
                  MMX_RM_REGISTER,
                  XMM_REG,
                  XMM_RM,
                  XMM_RM_REGISTER,
                  X87_RM ->
                  true;
              default -> false;
            };
      }
      assertThat(opcode.modRm()).as(row.toString()).isEqualTo(needed);
    }
  }

  @Test
  void operandsThatAreMemoryOnlyOrRegisterOnlySayTheFormInTheOpcode() {
    for (Row row : ROWS) {
      for (OperandCode operand : row.operands()) {
        int form = row.encoding().form();
        switch (operand.kind()) {
          case MEMORY -> assertThat(form).as(row.toString()).isEqualTo(Opcode.FORM_MEMORY);
          case MMX_RM_REGISTER, XMM_RM_REGISTER, X87_RM ->
              assertThat(form).as(row.toString()).isEqualTo(Opcode.FORM_REGISTER);
          case RM_REGISTER ->
              assertThat(form == Opcode.FORM_REGISTER || row.has(Row.REGISTER))
                  .as(row.toString())
                  .isTrue();
          default -> {}
        }
      }
    }
  }

  @Test
  void meaningsAreNames() {
    for (Row row : ROWS) {
      assertThat(row.meaning()).as(row.toString()).matches("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*");
    }
  }
}
