package dev.troupe.runtime.cpu;

import static dev.troupe.runtime.cpu.Tables.code;
import static dev.troupe.runtime.cpu.Tables.fault;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Far JMP, CALL, RET and IRET, call gates and tasks (SDM vol. 2; vol. 3A, 5.8 and chapter 7). */
class FarTransferTest {
  private Tables tables;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    tables = new Tables();
    cpu = tables.cpu;
  }

  @AfterEach
  void tearDown() {
    tables.close();
  }

  @Test
  void jumpsCheckTheirTarget() {
    cpu.far.jump(Tables.CODE_16, 0x1234, 0);
    assertThat(cpu.rip).isEqualTo(0x1234);
    assertThat(cpu.segmentBase[Cpu.CS]).isEqualTo(0x4000);
    assertThat(cpu.mode & Mode.CODE_32).isZero();
    assertThat(fault(() -> cpu.far.jump(Tables.CODE_16, 0x10000, 0))).isEqualTo(code(13, 0));
    assertThat(fault(() -> cpu.far.jump(0, 0, 0))).isEqualTo(code(13, 0));
    assertThat(fault(() -> cpu.far.jump(Tables.DATA, 0, 0))).isEqualTo(code(13, Tables.DATA));
    assertThat(fault(() -> cpu.far.jump(Tables.USER_CODE, 0, 0)))
        .isEqualTo(code(13, Tables.USER_CODE & ~3));
    tables.user();
    assertThat(fault(() -> cpu.far.jump(Tables.CODE, 0, 0))).isEqualTo(code(13, Tables.CODE));
    cpu.far.jump(Tables.CONFORMING, 0x2000, 0);
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(Tables.CONFORMING | 3);
    assertThat(cpu.cpl).isEqualTo(3);
  }

  @Test
  void callsAndReturnsOfTheSameLevelMirrorEachOther() {
    cpu.far.call(Tables.CODE, 0x6000, 4, 0x5007);
    assertThat(tables.stack(2)).containsExactly(0x5007, Tables.CODE);
    cpu.far.ret(4, 8);
    assertThat(cpu.rip).isEqualTo(0x5007);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9008);
  }

  @Test
  void aCallGateCopiesParametersToTheInnerStackAndReturnsDropThem() {
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE, 0x6000, 0xEC, 2);
    tables.user();
    tables.put(0x9000, 4, 0x11);
    tables.put(0x9004, 4, 0x22);
    cpu.far.call(Tables.GATE | 3, 0xDEAD, 4, 0x5007);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.rip).isEqualTo(0x6000);
    assertThat(tables.stack(6))
        .containsExactly(0x5007, Tables.USER_CODE, 0x11, 0x22, 0x9000, Tables.USER_DATA);
    cpu.segmentation.load(Cpu.DS, Tables.DATA);
    cpu.far.ret(4, 8);
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9008);
    assertThat(cpu.selector[Cpu.DS]).isZero();
    assertThat(cpu.selector[Cpu.ES]).isEqualTo(Tables.USER_DATA);
  }

  @Test
  void callGatesAreGuarded() {
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE, 0x6000, 0x8C, 0);
    tables.user();
    assertThat(fault(() -> cpu.far.call(Tables.GATE | 3, 0, 4, 0)))
        .isEqualTo(code(13, Tables.GATE));
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE, 0x6000, 0x6C, 0);
    assertThat(fault(() -> cpu.far.call(Tables.GATE | 3, 0, 4, 0)))
        .isEqualTo(code(11, Tables.GATE));
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE, 0x6000, 0xEC, 0);
    // JMP never changes the level.
    assertThat(fault(() -> cpu.far.jump(Tables.GATE | 3, 0, 0))).isEqualTo(code(13, Tables.CODE));
    tables.put(Tables.TSS + 8, 4, Tables.USER_DATA);
    assertThat(fault(() -> cpu.far.call(Tables.GATE | 3, 0, 4, 0)))
        .isEqualTo(code(10, Tables.USER_DATA & ~3));
  }

  @Test
  void returnsGoOutwardsOnly() {
    tables.user();
    tables.put(0x9000, 4, 0x6000);
    tables.put(0x9004, 4, Tables.CODE);
    assertThat(fault(() -> cpu.far.ret(4, 0))).isEqualTo(code(13, Tables.CODE));
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9000);
  }

  @Test
  void iretOfUserCodeKeepsIoplAndInterruptFlag() {
    tables.user();
    cpu.systemFlags = Rflags.IF;
    tables.put(0x9000, 4, 0x6000);
    tables.put(0x9004, 4, Tables.USER_CODE);
    tables.put(0x9008, 4, Rflags.IOPL | Rflags.ZF | Rflags.AC | Rflags.VM | Rflags.VIF);
    cpu.far.iret(4, 0);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.IF | Rflags.AC);
    assertThat(Rflags.arithmetic(cpu)).isEqualTo(Rflags.ZF);
  }

  /** Of a selector's dword processors read the selector only (compare SDM vol. 2A, IRET). */
  @Test
  void aSelectorInTheLastTwoBytesOfTheStackIsReadByReturns() {
    for (boolean interrupt : new boolean[] {false, true}) {
      cpu.segmentLimit[Cpu.SS] = 0xFFFF;
      cpu.segmentAttributes[Cpu.SS] &= ~Descriptor.BIG;
      cpu.updateMode();
      cpu.gpr[Cpu.RSP] = 0xFFFA;
      tables.put(0xFFFA, 4, 0x6000);
      tables.put(0xFFFE, 2, Tables.CODE);
      tables.put(2, 4, Rflags.ZF);
      if (interrupt) {
        cpu.far.iret(4, 0);
      } else {
        cpu.far.ret(4, 0);
      }
      assertThat(cpu.rip).as("interrupt return: %b", interrupt).isEqualTo(0x6000);
      assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(interrupt ? 6 : 2);
    }
  }

  private void secondTask() {
    tables.put(Tables.SECOND_TSS + 28, 4, 0);
    tables.put(Tables.SECOND_TSS + 32, 4, 0x7000);
    tables.put(Tables.SECOND_TSS + 36, 4, 2);
    for (int i = 0; i < 8; i++) {
      tables.put(Tables.SECOND_TSS + 40 + 4L * i, 4, i == Cpu.RSP ? 0xA000 : 0x100 + i);
    }
    int[] selectors = {Tables.DATA, Tables.CODE, Tables.DATA, Tables.DATA, 0, 0, Tables.LOCAL};
    for (int i = 0; i < selectors.length; i++) {
      tables.put(Tables.SECOND_TSS + 72 + 4L * i, 4, selectors[i]);
    }
  }

  @Test
  void aCalledTaskReturnsByIretWithItsStateKept() {
    secondTask();
    cpu.gpr[Cpu.RBX] = 0xB;
    cpu.far.call(Tables.SECOND_TASK, 0, 4, 0x5007);
    assertThat(cpu.rip).isEqualTo(0x7000);
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x100);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.NT);
    assertThat(cpu.cr0 & ControlRegisters.TS).isNotZero();
    assertThat(cpu.selector[Cpu.TR]).isEqualTo(Tables.SECOND_TASK);
    assertThat(cpu.selector[Cpu.LDTR]).isEqualTo(Tables.LOCAL);
    assertThat(tables.get(Tables.SECOND_TSS, 2)).isEqualTo(Tables.TASK);
    assertThat(tables.get(Tables.GDT + Tables.SECOND_TASK + 5, 1)).isEqualTo(0x8B);
    cpu.gpr[Cpu.RAX] = 0xAA;
    cpu.far.iret(4, 0x7001);
    assertThat(cpu.rip).isEqualTo(0x5007);
    assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(0xB);
    assertThat(cpu.systemFlags).isZero();
    assertThat(tables.get(Tables.GDT + Tables.SECOND_TASK + 5, 1)).isEqualTo(0x89);
    assertThat(tables.get(Tables.GDT + Tables.TASK + 5, 1)).isEqualTo(0x8B);
    assertThat(tables.get(Tables.SECOND_TSS + 40, 4)).isEqualTo(0xAA);
    assertThat(tables.get(Tables.SECOND_TSS + 32, 4)).isEqualTo(0x7001);
  }

  @Test
  void jumpingToATaskLeavesTheOldOneAvailable() {
    secondTask();
    tables.gate(Tables.GDT + Tables.TASK_GATE, Tables.SECOND_TASK, 0, 0xE5, 0);
    cpu.far.jump(Tables.TASK_GATE, 0, 0x5007);
    assertThat(cpu.rip).isEqualTo(0x7000);
    assertThat(cpu.systemFlags).isZero();
    assertThat(tables.get(Tables.GDT + Tables.TASK + 5, 1)).isEqualTo(0x89);
    assertThat(fault(() -> cpu.far.jump(Tables.SECOND_TASK, 0, 0)))
        .isEqualTo(code(13, Tables.SECOND_TASK));
  }

  @Test
  void whatIsWrongWithANewTaskIsItsOwnFault() {
    secondTask();
    tables.put(Tables.SECOND_TSS + 72, 4, Tables.EXECUTE_ONLY);
    tables.gate(Tables.IDT + 8 * Fault.TS, Tables.CODE, 0x600A, 0x8E, 0);
    cpu.far.call(Tables.SECOND_TASK, 0, 4, 0x5007);
    assertThat(cpu.rip).isEqualTo(0x600A);
    assertThat(tables.stack(2)).containsExactly(Tables.EXECUTE_ONLY, 0x7000);
    assertThat(cpu.selector[Cpu.TR]).isEqualTo(Tables.SECOND_TASK);
  }

  @Test
  void eventsEnterTasksThroughTaskGatesWithTheirErrorCode() {
    secondTask();
    tables.gate(Tables.IDT + 8 * Fault.DF, Tables.SECOND_TASK, 0, 0x85, 0);
    cpu.exceptions.deliver(cpu.fault(Fault.DF, 0));
    assertThat(cpu.rip).isEqualTo(0x7000);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0xA000 - 4);
    assertThat(tables.stack(1)).containsExactly(0);
    assertThat(tables.get(Tables.TSS + 32, 4)).isEqualTo(0x5000);
  }

  @Test
  void longModeHas64BitCallGatesAndNoTasks() {
    tables.longMode();
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE_64, 0x6000, 0xEC, 0);
    cpu.segmentation.setCode(
        Tables.USER_CODE_64, tables.get(Tables.GDT + (Tables.USER_CODE_64 & ~7), 8), 3);
    cpu.updateMode();
    cpu.far.call(Tables.GATE | 3, 0, 4, 0x5007);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.rip).isEqualTo(0x6000);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x8000 - 32);
    assertThat(cpu.selector[Cpu.SS]).isZero();
    assertThat(tables.get(0x8000 - 24, 8)).isEqualTo(Tables.USER_CODE_64);
    assertThat(fault(() -> cpu.far.call(Tables.SECOND_TASK, 0, 4, 0)))
        .isEqualTo(code(13, Tables.SECOND_TASK));
    cpu.systemFlags |= Rflags.NT;
    assertThat(fault(() -> cpu.far.iret(8, 0))).isEqualTo(code(13, 0));
  }

  @Test
  void farReturnsFromLongModeReachCompatibilityMode() {
    tables.longMode();
    tables.put(0x9000, 4, 0x6000);
    tables.put(0x9004, 4, Tables.CODE);
    cpu.far.ret(4, 0);
    assertThat(cpu.mode & (Mode.CODE_64 | Mode.CODE_32)).isEqualTo(Mode.CODE_32);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x9008);
    cpu.far.jump(Tables.CODE_64, 0x6000, 0);
    assertThat(cpu.mode & Mode.CODE_64).isNotZero();
  }
}
