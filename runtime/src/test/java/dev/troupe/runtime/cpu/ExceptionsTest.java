package dev.troupe.runtime.cpu;

import static dev.troupe.runtime.cpu.Tables.code;
import static dev.troupe.runtime.cpu.Tables.fault;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Exceptions.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SDM vol. 3A, chapter 6: frames, gates, stacks, double and triple faults. */
class ExceptionsTest {
  private static final int INTERRUPT_32 = 0x8E;
  private static final int TRAP_32 = 0x8F;
  private static final int USER_INTERRUPT_32 = 0xEE;
  private static final long FLAGS = Rflags.IF | Rflags.FIXED;

  private Tables tables;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    tables = new Tables();
    cpu = tables.cpu;
    for (int vector = 0; vector < 64; vector++) {
      handler(vector, INTERRUPT_32);
    }
    cpu.systemFlags = Rflags.IF;
  }

  @AfterEach
  void tearDown() {
    tables.close();
  }

  private void handler(int vector, int attributes) {
    tables.gate(Tables.IDT + 8L * vector, Tables.CODE, 0x6000 + vector, attributes, 0);
  }

  private void handler64(int vector, int selector, int stack) {
    tables.gate(Tables.IDT + 16L * vector, selector, 0x6000 + vector, 0x8E, stack);
  }

  @Test
  void aFaultOfTheSameLevelPushesFlagsCodeAndError() {
    cpu.exceptions.deliver(cpu.fault(Fault.GP, 0x1234));
    assertThat(cpu.rip).isEqualTo(0x600D);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000 - 16);
    assertThat(tables.stack(4)).containsExactly(0x1234, 0x5000, Tables.CODE, FLAGS | Rflags.RF);
    assertThat(cpu.systemFlags).isZero();
  }

  @Test
  void trapGatesLeaveInterruptsOn() {
    handler(3, TRAP_32);
    cpu.systemFlags |= Rflags.TF | Rflags.NT;
    cpu.exceptions.software(Fault.BP, 0x5001, Kind.SOFTWARE);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.IF);
    assertThat(tables.stack(3)).containsExactly(0x5001, Tables.CODE, FLAGS | Rflags.TF | Rflags.NT);
  }

  @Test
  void anInnerLevelGetsItsStackFromTheTss() {
    tables.user();
    cpu.exceptions.interrupt(0x20);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(Tables.CODE);
    assertThat(cpu.selector[Cpu.SS]).isEqualTo(Tables.DATA);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x8000 - 20);
    assertThat(tables.stack(5))
        .containsExactly(0x5000, Tables.USER_CODE, FLAGS, 0x9000, Tables.USER_DATA);
    assertThat(cpu.selector[Cpu.DS]).isEqualTo(Tables.USER_DATA);
    cpu.far.iret(4, 0);
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.rip).isEqualTo(0x5000);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.IF);
  }

  @Test
  void sixteenBitGatesPushWords() {
    handler(0x21, 0x86);
    cpu.exceptions.interrupt(0x21);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000 - 6);
    assertThat(tables.get(0x8FFA, 6)).isEqualTo(0x5000 | (long) Tables.CODE << 16 | FLAGS << 32);
  }

  @Test
  void userCodeReachesUserGatesOnly() {
    tables.user();
    handler(0x30, USER_INTERRUPT_32);
    cpu.exceptions.software(0x31, 0x5002, Kind.SOFTWARE);
    assertThat(cpu.rip).isEqualTo(0x600D);
    // The faulting INT, not what follows it; EXT clear.
    assertThat(tables.stack(2)).containsExactly(0x31 << 3 | 2, 0x5000);
    tables.user();
    cpu.rip = 0x5000;
    cpu.exceptions.software(0x30, 0x5002, Kind.SOFTWARE);
    assertThat(cpu.rip).isEqualTo(0x6030);
    assertThat(tables.stack(1)).containsExactly(0x5002);
  }

  @Test
  void gatesThatCannotBeUsedNameTheirVector() {
    tables.put(Tables.IDT + 8 * 0x22, 8, 0);
    cpu.exceptions.interrupt(0x22);
    assertThat(tables.stack(2)).containsExactly(0x22 << 3 | 3, 0x5000);
    handler(0x23, 0x0E);
    cpu.exceptions.interrupt(0x23);
    assertThat(cpu.rip).isEqualTo(0x600B);
    assertThat(tables.stack(1)).containsExactly(0x23 << 3 | 3);
    cpu.idtLimit = 0x23 * 8 - 1;
    cpu.exceptions.interrupt(0x23);
    assertThat(tables.stack(1)).containsExactly(0x23 << 3 | 3);
  }

  @Test
  void twoContributoryExceptionsAreADoubleFaultAndThreeShutDown() {
    tables.put(Tables.IDT + 8 * Fault.GP, 8, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.NP, 8));
    assertThat(cpu.rip).isEqualTo(0x600B); // #NP itself has its handler
    cpu.rip = 0x5000;
    tables.put(Tables.IDT + 8 * Fault.NP, 8, 0);
    tables.put(Tables.IDT + 8 * Fault.GP, 8, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.NP, 8));
    assertThat(cpu.rip).isEqualTo(0x6008);
    assertThat(tables.stack(2)).containsExactly(0, 0x5000);
    tables.put(Tables.IDT + 8 * Fault.DF, 8, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.NP, 8));
    assertThat(cpu.activity).isEqualTo(Cpu.Activity.SHUTDOWN);
  }

  @Test
  void whatABenignEventMeetsIsDeliveredInItsPlace() {
    tables.put(Tables.IDT + 8 * Fault.UD, 8, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.UD));
    assertThat(cpu.rip).isEqualTo(0x600D);
    assertThat(tables.stack(2)).containsExactly(Fault.UD << 3 | 3, 0x5000);
  }

  @Test
  void aFaultOnTheWayLeavesNoTrace() {
    tables.user();
    tables.put(Tables.TSS + 8, 4, Tables.ABSENT);
    tables.gate(Tables.IDT + 8 * 0x24, Tables.CODE, 0x6024, INTERRUPT_32, 0);
    // #SS(ABSENT), whose own delivery fails the same way: double fault, then shutdown.
    cpu.exceptions.interrupt(0x24);
    assertThat(cpu.activity).isEqualTo(Cpu.Activity.SHUTDOWN);
    assertThat(cpu.selector[Cpu.SS]).isEqualTo(Tables.USER_DATA);
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000);
  }

  @Test
  void virtual8086ModeIsLeftByInterruptsAndEnteredByIret() {
    long[] frame = {0x100, 0x2000, FLAGS | Rflags.VM | Rflags.IOPL, 0x200, 0x3000, 1, 2, 3, 4};
    for (int i = 0; i < frame.length; i++) {
      tables.put(0x9000 + 4 * i, 4, frame[i]);
    }
    cpu.far.iret(4, 0);
    assertThat(cpu.mode & Mode.V86).isNotZero();
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.segmentBase[Cpu.CS]).isEqualTo(0x2_0000);
    assertThat(cpu.selector[Cpu.GS]).isEqualTo(4);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x200);
    cpu.exceptions.interrupt(0x25);
    assertThat(cpu.mode & Mode.V86).isZero();
    assertThat(tables.stack(9)).containsExactly(frame);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x8000 - 36);
    assertThat(cpu.selector[Cpu.DS]).isZero();
    assertThat(fault(() -> cpu.segmentation.check(Cpu.DS, 0, 1, false))).isEqualTo(code(13, 0));
  }

  @Test
  void realModePushesWordsAndLooksUpVectors() {
    cpu.cr0 &= ~ControlRegisters.PE;
    cpu.idtBase = 0;
    cpu.segmentLimit[Cpu.CS] = 0xFFFF;
    cpu.updateMode();
    tables.put(4 * 0x21, 4, 0x1234_5678L);
    cpu.exceptions.software(0x21, 0x5002, Kind.SOFTWARE);
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(0x1234);
    assertThat(cpu.segmentBase[Cpu.CS]).isEqualTo(0x1_2340);
    assertThat(cpu.rip).isEqualTo(0x5678);
    assertThat(tables.get(0x8FFA, 6)).isEqualTo(0x5002 | (long) Tables.CODE << 16 | FLAGS << 32);
    cpu.far.iret(2, 0);
    assertThat(cpu.rip).isEqualTo(0x5002);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000);
  }

  @Test
  void longModePushesTheStackAlwaysAndAlignsIt() {
    tables.longMode();
    handler64(14, Tables.CODE_64, 0);
    cpu.gpr[Cpu.RSP] = 0x9004;
    cpu.exceptions.deliver(cpu.pageFault(0x1234_5678_9000L, 4));
    assertThat(cpu.cr2).isEqualTo(0x1234_5678_9000L);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000 - 48);
    long[] expected = {4, 0x5000, Tables.CODE, FLAGS | Rflags.RF, 0x9004, Tables.DATA};
    for (int i = 0; i < 6; i++) {
      assertThat(tables.get(0x9000 - 48 + 8 * i, 8))
          .isEqualTo(i == 2 ? Tables.CODE_64 : expected[i]);
    }
    cpu.gpr[Cpu.RSP] += 8;
    cpu.far.iret(8, 0);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9004);
    assertThat(cpu.selector[Cpu.SS]).isEqualTo(Tables.DATA);
  }

  @Test
  void longModeTakesStacksFromTheInterruptStackTable() {
    tables.longMode();
    handler64(2, Tables.CODE_64, 1);
    cpu.exceptions.interrupt(2);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x7000 - 40);
    assertThat(cpu.selector[Cpu.SS]).isEqualTo(Tables.DATA);
    tables.user();
    cpu.segmentation.set(
        Cpu.CS, Tables.USER_CODE_64, tables.get(Tables.GDT + (Tables.USER_CODE_64 & ~7), 8));
    cpu.updateMode();
    handler64(0x20, Tables.CODE_64, 0);
    cpu.exceptions.interrupt(0x20);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x8000 - 40);
    assertThat(cpu.selector[Cpu.SS]).isZero();
    assertThat(cpu.cpl).isZero();
    cpu.far.iret(8, 0);
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(Tables.USER_CODE_64);
  }

  @Test
  void longModeHandlersAre64BitCode() {
    tables.longMode();
    handler64(6, Tables.CODE, 0);
    handler64(13, Tables.CODE_64, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.UD));
    assertThat(cpu.rip).isEqualTo(0x600D);
    assertThat(tables.get(cpu.gpr[Cpu.RSP], 8)).isEqualTo(Tables.CODE | 1);
  }

  @Test
  void iretEndsTheBlockingOfNmis() {
    cpu.nmiBlocked = true;
    cpu.exceptions.interrupt(0x20);
    assertThat(cpu.nmiBlocked).isTrue();
    cpu.far.iret(4, 0);
    assertThat(cpu.nmiBlocked).isFalse();
  }
}
