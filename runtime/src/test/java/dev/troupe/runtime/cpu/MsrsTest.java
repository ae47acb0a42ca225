package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MsrsTest {
  private static final long NOT_CANONICAL = 0x0000_8000_0000_0000L;

  private final TestCpu t = new TestCpu();

  @AfterEach
  void close() {
    t.close();
  }

  private void refuses(int msr, long value) {
    assertThat(t.cpu.msrs.write(msr, value)).as("WRMSR %x <- %x", msr, value).isFalse();
  }

  @Test
  void unknownAndSystemManagementRegistersFault() {
    for (int msr :
        new int[] {0x9B, 0x9E, 0x2, 0x3F, 0x480, 0xC000_0085, 0xC001_0117, 0xFFFF_FFFF}) {
      assertThat(t.cpu.msrs.read(msr)).as("RDMSR %x", msr).isFalse();
      refuses(msr, 0);
    }
  }

  @Test
  void addressesMustBeCanonical() {
    for (int msr :
        new int[] {0x175, 0x176, 0xC000_0082, 0xC000_0083, 0xC000_0100, 0xC000_0101, 0xC000_0102}) {
      refuses(msr, NOT_CANONICAL);
      t.writeMsr(msr, 0xFFFF_8000_0000_1234L);
      assertThat(t.readMsr(msr)).isEqualTo(0xFFFF_8000_0000_1234L);
    }
    assertThat(t.cpu.segmentBase[Cpu.GS]).isEqualTo(0xFFFF_8000_0000_1234L);
  }

  @Test
  void eferRefusesUnknownBitsAndLmeUnderPaging() {
    refuses(0xC000_0080, 1L << 12);
    refuses(0xC000_0080, 1L << 63);
    t.writeMsr(0xC000_0080, 0xD01);
    assertThat(t.readMsr(0xC000_0080)).as("LMA cannot be written").isEqualTo(0x901);
    t.longMode();
    refuses(0xC000_0080, 0);
    t.writeMsr(0xC000_0080, Msrs.EFER_LME | Msrs.EFER_NXE);
    assertThat(t.readMsr(0xC000_0080)).isEqualTo(0xD00);
  }

  @Test
  void theTscAndItsAdjustmentMoveTogether() {
    t.now = 1000;
    assertThat(t.readMsr(0x10)).isEqualTo(1000);
    t.writeMsr(0x10, 5_000_000);
    assertThat(t.readMsr(0x3B)).isEqualTo(4_999_000);
    t.now = 1010;
    assertThat(t.readMsr(0x10)).isEqualTo(5_000_010);
    t.writeMsr(0x3B, 0);
    assertThat(t.readMsr(0x10)).isEqualTo(1010);
  }

  @Test
  void patTakesOnlyMemoryTypesThatExist() {
    t.writeMsr(0x277, 0x0001_0405_0607_0006L);
    refuses(0x277, 2);
    refuses(0x277, 0x0300);
    refuses(0x277, 0x08L << 56);
  }

  @Test
  void mtrrsAreChecked() {
    assertThat(t.readMsr(0xFE) & 0xFF).isEqualTo(8);
    refuses(0xFE, 0);
    t.writeMsr(0x200, 0x8000_0006L);
    refuses(0x200, 0x8000_0002L);
    refuses(0x200, 0x8000_0106L);
    refuses(0x200, 1L << 46);
    t.writeMsr(0x201, 0x3FFF_8000_0800L);
    refuses(0x201, 0x400);
    t.writeMsr(0x250, 0x0606_0606_0606_0606L);
    refuses(0x250, 0x0606_0306_0606_0606L);
    t.writeMsr(0x2FF, 0xC06);
    refuses(0x2FF, 0x1006);
    refuses(0x2FF, 0xC02);
    assertThat(t.cpu.msrs.read(0x210)).isFalse();
  }

  @Test
  void machineCheckBanksTakeZerosAndControlAllOnes() {
    int banks = (int) t.readMsr(0x179) & 0xFF;
    t.writeMsr(0x400, -1);
    t.writeMsr(0x400, 0);
    refuses(0x400, 1);
    refuses(0x401, 1);
    t.writeMsr(0x401, 0);
    assertThat(t.cpu.msrs.read(0x400 + 4 * banks)).isFalse();
    refuses(0x179, 0);
  }

  @Test
  void tscAuxHas32Bits() {
    t.writeMsr(0xC000_0103, 0xFFFF_FFFFL);
    refuses(0xC000_0103, 1L << 32);
  }

  @Test
  void readOnlyRegistersRefuseWrites() {
    refuses(0x3A, 5);
    refuses(0x10A, 0);
    refuses(0x17, 0);
    assertThat(t.readMsr(0x3A)).as("locked").isEqualTo(1);
    assertThat(t.readMsr(0x10A) & 1).as("no Meltdown").isEqualTo(1);
  }

  @Test
  void amdsRegistersExistOnAmdOnly() {
    assertThat(t.readMsr(0xC001_1029) & 2).as("LFENCE serializes").isEqualTo(2);
    t.writeMsr(0xC001_0015, -1);
    assertThat(t.readMsr(0xC001_0015)).isEqualTo(1 << 6 | 1 << 8 | 1 << 18 | 1 << 24);
    assertThat(t.readMsr(0xC001_001F)).isZero();
    assertThat(t.readMsr(0xC001_0055)).isZero();
    try (TestCpu intel = new TestCpu(TestCpu.model("pentium3"))) {
      assertThat(intel.cpu.msrs.read(0xC001_0015)).isFalse();
      assertThat(intel.cpu.msrs.read(0xC001_1029)).isFalse();
    }
  }

  @Test
  void aModelWithoutAFeatureLacksItsRegisters() {
    try (TestCpu old = new TestCpu(TestCpu.model("pentium3"))) {
      for (int msr :
          new int[] {
            0xC000_0080, 0xC000_0081, 0xC000_0100, 0xC000_0103, 0x6E0, 0x3B, 0x10A, 0x802
          }) {
        assertThat(old.cpu.msrs.read(msr)).as("RDMSR %x", msr).isFalse();
      }
      assertThat(old.cpu.msrs.read(0x174)).isTrue();
    }
  }
}
