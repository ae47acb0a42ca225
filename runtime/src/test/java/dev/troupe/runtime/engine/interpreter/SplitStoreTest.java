package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** x87 stores of ten bytes whose end faults. */
class SplitStoreTest {
  private static final long OPERAND = 0x51F8;

  /** User code of 32 bits whose data segment ends 8 bytes after {@link #OPERAND}. */
  private static Ring ring() {
    Ring r = new Ring(3);
    r.cpu.setSegment(Cpu.CS, Ring.USER_CODE_32, 0, 0xFFFF_FFFFL, 0xCFFB);
    r.cpu.setSegment(Cpu.DS, Ring.USER_DATA, 0, OPERAND + 7, 0x40F3);
    r.cpu.updateMode();
    r.cpu.x87.initialize();
    r.cpu.x87.push(0x3FFF + 6, 0xF600_0000_0000_0000L); // 123
    return r;
  }

  // Intel's processors do not look ahead; the manuals leave it open (SDM vol. 3A, 6.5: a fault's
  // instruction can be restarted).
  @ParameterizedTest
  @ValueSource(strings = {"db3df8510000", "df35f8510000"}) // fstp tbyte [51f8h]; fbstp [51f8h]
  void theFirstEightBytesAreStoredAndTheNumberStays(String code) {
    try (Ring r = ring()) {
      assertThat(r.vectorOf(code)).isEqualTo(Fault.GP);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE);
      long stored = code.startsWith("db") ? 0xF600_0000_0000_0000L : 0x123;
      assertThat(r.get(OPERAND)).isEqualTo(stored);
      assertThat(r.cpu.x87.isEmpty(0)).isFalse();
      assertThat(r.cpu.x87.top).isEqualTo(7);
    }
  }

  @Test
  void anInexactDecimalThatIsNotStoredRaisesNothing() {
    try (Ring r = ring()) {
      r.cpu.x87.pop();
      r.cpu.x87.push(0x3FFF, 0xC000_0000_0000_0000L); // 1.5
      assertThat(r.vectorOf("df35f8510000")).isEqualTo(Fault.GP);
      assertThat(r.cpu.x87.statusWord() & 0x3F).isZero();
    }
  }
}
