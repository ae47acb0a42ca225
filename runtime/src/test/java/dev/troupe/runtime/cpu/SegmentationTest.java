package dev.troupe.runtime.cpu;

import static dev.troupe.runtime.cpu.Tables.code;
import static dev.troupe.runtime.cpu.Tables.fault;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SDM vol. 3A, chapter 5: what may be loaded, and what may be done with what is loaded. */
class SegmentationTest {
  private Tables tables;
  private Cpu cpu;
  private Segmentation segmentation;

  @BeforeEach
  void setUp() {
    tables = new Tables();
    cpu = tables.cpu;
    segmentation = cpu.segmentation;
  }

  @AfterEach
  void tearDown() {
    tables.close();
  }

  @Test
  void accessesAreCheckedAgainstLimitAndRights() {
    tables.descriptor(Tables.DATA, 0x100, 0xFF, 0x4093);
    segmentation.load(Cpu.DS, Tables.DATA);
    segmentation.load(Cpu.SS, Tables.DATA);
    assertThat(segmentation.check(Cpu.DS, 0xFC, 4, true)).isEqualTo(0x1FC);
    assertThat(fault(() -> segmentation.check(Cpu.DS, 0xFD, 4, false))).isEqualTo(code(13, 0));
    assertThat(fault(() -> segmentation.check(Cpu.SS, 0x100, 1, true))).isEqualTo(code(12, 0));
    assertThat(fault(() -> segmentation.check(Cpu.FS, 0, 1, false))).isEqualTo(code(13, 0));
    segmentation.load(Cpu.ES, Tables.READ_ONLY);
    segmentation.check(Cpu.ES, 0, 1, false);
    assertThat(fault(() -> segmentation.check(Cpu.ES, 0, 1, true))).isEqualTo(code(13, 0));
    segmentation.check(Cpu.CS, 0, 1, false);
    assertThat(fault(() -> segmentation.check(Cpu.CS, 0, 1, true))).isEqualTo(code(13, 0));
  }

  @Test
  void expandDownSegmentsHoldWhatLiesAboveTheirLimit() {
    segmentation.load(Cpu.DS, Tables.DOWN);
    assertThat(fault(() -> segmentation.check(Cpu.DS, 0xFFF, 4, true))).isEqualTo(code(13, 0));
    assertThat(segmentation.check(Cpu.DS, 0x1000, 4, true)).isEqualTo(0x1000);
    assertThat(segmentation.check(Cpu.DS, 0xFFFF_FFFCL, 4, true)).isEqualTo(0xFFFF_FFFCL);
    assertThat(fault(() -> segmentation.check(Cpu.DS, 0xFFFF_FFFDL, 4, true)))
        .isEqualTo(code(13, 0));
    tables.descriptor(Tables.DOWN, 0, 0xFFF, 0x0096);
    segmentation.load(Cpu.DS, Tables.DOWN);
    assertThat(fault(() -> segmentation.check(Cpu.DS, 0xFFFE, 4, true))).isEqualTo(code(13, 0));
  }

  @Test
  void loadsFaultAsTheManualSays() {
    assertThat(fault(() -> segmentation.load(Cpu.DS, 0x100))).isEqualTo(code(13, 0x100));
    assertThat(fault(() -> segmentation.load(Cpu.DS, 0x14))).isEqualTo(code(13, 0x14));
    assertThat(fault(() -> segmentation.load(Cpu.DS, Tables.ABSENT)))
        .isEqualTo(code(11, Tables.ABSENT));
    assertThat(fault(() -> segmentation.load(Cpu.SS, Tables.ABSENT)))
        .isEqualTo(code(12, Tables.ABSENT));
    assertThat(fault(() -> segmentation.load(Cpu.DS, Tables.EXECUTE_ONLY)))
        .isEqualTo(code(13, Tables.EXECUTE_ONLY));
    assertThat(fault(() -> segmentation.load(Cpu.ES, Tables.TASK)))
        .isEqualTo(code(13, Tables.TASK));
    assertThat(fault(() -> segmentation.load(Cpu.SS, 0))).isEqualTo(code(13, 0));
    assertThat(fault(() -> segmentation.load(Cpu.SS, Tables.READ_ONLY)))
        .isEqualTo(code(13, Tables.READ_ONLY));
    assertThat(fault(() -> segmentation.load(Cpu.SS, Tables.DATA | 1)))
        .isEqualTo(code(13, Tables.DATA));
    assertThat(cpu.selector[Cpu.DS]).isEqualTo(Tables.DATA);
    tables.user();
    assertThat(fault(() -> segmentation.load(Cpu.DS, Tables.DATA)))
        .isEqualTo(code(13, Tables.DATA));
    assertThat(fault(() -> segmentation.load(Cpu.SS, Tables.USER_DATA & ~3)))
        .isEqualTo(code(13, Tables.USER_DATA & ~3));
    segmentation.load(Cpu.DS, Tables.CONFORMING | 3);
    segmentation.load(Cpu.ES, 3);
    assertThat(cpu.selector[Cpu.ES]).isEqualTo(3);
  }

  @Test
  void loadsSetTheAccessedBitOnce() {
    tables.descriptor(Tables.DATA, 0, 0xFFFFF, 0xC092);
    segmentation.load(Cpu.DS, Tables.DATA);
    assertThat(tables.get(Tables.GDT + Tables.DATA + 5, 1)).isEqualTo(0x93);
    assertThat(cpu.segmentAttributes[Cpu.DS]).isEqualTo(0xC093);
  }

  @Test
  void localDescriptorsComeFromTheLdt() {
    assertThat(fault(() -> segmentation.load(Cpu.DS, 0xC))).isEqualTo(code(13, 0xC));
    segmentation.loadLocalTable(Tables.LOCAL);
    tables.put(Tables.LDT + 8, 8, tables.get(Tables.GDT + Tables.DATA, 8));
    segmentation.load(Cpu.DS, 0xC);
    assertThat(cpu.selector[Cpu.DS]).isEqualTo(0xC);
    assertThat(fault(() -> segmentation.load(Cpu.DS, 0x14))).isEqualTo(code(13, 0x14));
    assertThat(fault(() -> segmentation.loadLocalTable(Tables.DATA)))
        .isEqualTo(code(13, Tables.DATA));
  }

  @Test
  void loadingTheTaskRegisterMakesTheTssBusy() {
    segmentation.loadTask(Tables.SECOND_TASK);
    assertThat(tables.get(Tables.GDT + Tables.SECOND_TASK + 5, 1)).isEqualTo(0x8B);
    assertThat(cpu.segmentBase[Cpu.TR]).isEqualTo(Tables.SECOND_TSS);
    assertThat(fault(() -> segmentation.loadTask(Tables.SECOND_TASK)))
        .isEqualTo(code(13, Tables.SECOND_TASK));
    assertThat(fault(() -> segmentation.loadTask(0))).isEqualTo(code(13, 0));
  }

  @Test
  void systemDescriptorsOfLongModeHave64BitBases() {
    tables.longMode();
    tables.put(Tables.GDT + Tables.SECOND_TASK + 8, 8, 0xFFFF_8000L);
    segmentation.loadTask(Tables.SECOND_TASK);
    assertThat(cpu.segmentBase[Cpu.TR]).isEqualTo(0xFFFF_8000L << 32 | Tables.SECOND_TSS);
    tables.descriptor(Tables.SECOND_TASK, 0, 0x67, 0x89);
    tables.put(Tables.GDT + Tables.SECOND_TASK + 8, 8, 0x8000);
    assertThat(fault(() -> segmentation.loadTask(Tables.SECOND_TASK)))
        .isEqualTo(code(13, Tables.SECOND_TASK));
  }

  @Test
  void nullStackSegmentsAreFor64BitSupervisors() {
    tables.longMode();
    segmentation.load(Cpu.SS, 0);
    assertThat(fault(() -> segmentation.load(Cpu.SS, 1))).isEqualTo(code(13, 0));
    assertThat(segmentation.check(Cpu.DS, 0x1234_5678_9ABCL, 8, true)).isEqualTo(0x1234_5678_9ABCL);
    assertThat(fault(() -> segmentation.check(Cpu.SS, 0x8000_0000_0000L, 8, true)))
        .isEqualTo(code(12, 0));
  }

  @Test
  void larAndLslShowWhatIsVisible() {
    assertThat(segmentation.accessRights(Tables.DATA)).isEqualTo(0xCF9300);
    assertThat(segmentation.limit(Tables.DATA)).isEqualTo(0xFFFF_FFFFL);
    assertThat(segmentation.accessRights(Tables.TASK)).isEqualTo(0x8B00);
    assertThat(segmentation.accessRights(0)).isEqualTo(Segmentation.INVISIBLE);
    assertThat(segmentation.accessRights(0x100)).isEqualTo(Segmentation.INVISIBLE);
    tables.gate(Tables.GDT + Tables.GATE, Tables.CODE, 0, 0xEC, 0);
    assertThat(segmentation.accessRights(Tables.GATE)).isEqualTo(0xEC00);
    assertThat(segmentation.limit(Tables.GATE)).isEqualTo(Segmentation.INVISIBLE);
    tables.user();
    assertThat(segmentation.accessRights(Tables.DATA)).isEqualTo(Segmentation.INVISIBLE);
    assertThat(segmentation.accessRights(Tables.CONFORMING)).isEqualTo(0xCF9E00);
    assertThat(segmentation.verify(Tables.USER_DATA, true)).isTrue();
    assertThat(segmentation.verify(Tables.USER_CODE, true)).isFalse();
    assertThat(segmentation.verify(Tables.USER_CODE, false)).isTrue();
    assertThat(segmentation.verify(Tables.DATA, false)).isFalse();
  }

  @Test
  void realModeKeepsLimitsAndRights() {
    cpu.cr0 &= ~ControlRegisters.PE;
    cpu.updateMode();
    segmentation.load(Cpu.DS, 0x1234);
    assertThat(segmentation.check(Cpu.DS, 0xFFFF_0000L, 4, true))
        .isEqualTo(0x1_2340 - 0x1_0000L & 0xFFFF_FFFFL);
    cpu.segmentLimit[Cpu.DS] = 0xFFFF;
    assertThat(fault(() -> segmentation.check(Cpu.DS, 0xFFFF, 2, true))).isEqualTo(code(13, 0));
  }
}
