package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import org.junit.jupiter.api.Test;

/** Addresses that are not canonical: #SS for those of the stack, else #GP (SDM vol. 1, 3.3.7.1). */
class NonCanonicalTest {
  private static final long HOLE = 0x0000_8000_0000_0000L;

  private static int vectorOf(String code, long operand, long stack, long gsBase) {
    try (Ring r = new Ring(3)) {
      r.cpu.segmentBase[Cpu.GS] = gsBase;
      r.cpu.gpr[Cpu.RDI] = operand;
      r.cpu.gpr[Cpu.RSP] = stack;
      return r.vectorOf(code);
    }
  }

  @Test
  void anOperandInMemoryOfAStackInstructionIsNoStack() {
    for (String code : new String[] {"ff27", "ff17", "ff37", "8f07"}) { // jmp call push pop [rdi]
      assertThat(vectorOf(code, HOLE, Ring.STACK, 0)).as(code).isEqualTo(Fault.GP);
      long base = 0x450A_2FB9;
      assertThat(vectorOf("65" + code, HOLE - base, Ring.STACK, base)).as(code).isEqualTo(Fault.GP);
    }
  }

  @Test
  void theStackOfAnInstructionWithAnOperandInMemoryIsOne() {
    for (String code : new String[] {"ff17", "ff37", "8f07"}) { // call push pop [rdi]
      assertThat(vectorOf(code, Ring.CODE, HOLE + 8, 0)).as(code).isEqualTo(Fault.SS);
      assertThat(vectorOf("65" + code, 0, HOLE + 8, Ring.CODE)).as(code).isEqualTo(Fault.SS);
    }
  }
}
