package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Intel SDM vol. 3A, 2.5 and 9.8.5; vol. 2, MOV to control registers and XSETBV. */
class ControlRegistersTest {
  private static final long REAL = ControlRegisters.ET;
  private static final long PROTECTED = ControlRegisters.PE | ControlRegisters.ET;
  private static final long PAGING = PROTECTED | ControlRegisters.PG;

  private final TestCpu t = new TestCpu();
  private final ControlRegisters control = t.cpu.control;

  @AfterEach
  void close() {
    t.close();
  }

  private static void generalProtection(Runnable action) {
    TestCpu.faults(Fault.GP, action);
  }

  @Test
  void theHighHalfOfCr0IsReservedAndUnknownLowBitsAreIgnored() {
    for (int bit = 32; bit < 64; bit++) {
      long value = PROTECTED | 1L << bit;
      generalProtection(() -> control.writeCr0(value));
    }
    control.writeCr0(PROTECTED | 0xFFC0);
    assertThat(t.cpu.cr0).isEqualTo(PROTECTED);
  }

  @Test
  void impossibleCombinationsOfCr0Fault() {
    generalProtection(() -> control.writeCr0(REAL | ControlRegisters.PG));
    generalProtection(() -> control.writeCr0(REAL | ControlRegisters.NW));
    control.writeCr0(REAL | ControlRegisters.NW | ControlRegisters.CD);
  }

  @Test
  void extensionTypeIsAlwaysOne() {
    control.writeCr0(0);
    assertThat(t.cpu.cr0).isEqualTo(ControlRegisters.ET);
  }

  @Test
  void longModeNeedsPaeA32BitTssAndCodeThatIsNot64Bit() {
    t.cpu.efer = Msrs.EFER_LME;
    control.writeCr0(PROTECTED);
    generalProtection(() -> control.writeCr0(PAGING));
    control.writeCr4(ControlRegisters.PAE);
    t.cpu.segmentAttributes[Cpu.TR] = 0x83;
    generalProtection(() -> control.writeCr0(PAGING));
    t.cpu.segmentAttributes[Cpu.TR] = 0x8B;
    t.cpu.segmentAttributes[Cpu.CS] |= Cpu.ATTRIBUTE_L;
    generalProtection(() -> control.writeCr0(PAGING));
    t.cpu.segmentAttributes[Cpu.CS] &= ~Cpu.ATTRIBUTE_L;
    control.writeCr0(PAGING);
    assertThat(t.cpu.efer & Msrs.EFER_LMA).isNotZero();
    assertThat(t.cpu.mode & Mode.LONG).isNotZero();
    generalProtection(() -> control.writeCr4(0));
    control.writeCr0(PROTECTED);
    assertThat(t.cpu.efer & Msrs.EFER_LMA).isZero();
  }

  @Test
  void pagingCannotBeTurnedOffIn64BitCodeOrWithPcids() {
    t.longMode();
    generalProtection(() -> control.writeCr0(PROTECTED));
    t.cpu.segmentAttributes[Cpu.CS] = 0xCF9B;
    t.cpu.updateMode();
    control.writeCr4(ControlRegisters.PAE | ControlRegisters.PCIDE);
    generalProtection(() -> control.writeCr0(PROTECTED));
  }

  @Test
  void pcidsNeedLongModeAndAnEmptyPcid() {
    generalProtection(() -> control.writeCr4(ControlRegisters.PCIDE));
    t.longMode();
    control.writeCr3(0x1018);
    generalProtection(() -> control.writeCr4(ControlRegisters.PAE | ControlRegisters.PCIDE));
    control.writeCr3(0x1000);
    control.writeCr4(ControlRegisters.PAE | ControlRegisters.PCIDE);
    control.writeCr3(1L << 63 | 0x2005);
    assertThat(t.cpu.cr3).as("bit 63 is a command").isEqualTo(0x2005);
  }

  @Test
  void everyReservedBitOfCr4Faults() {
    long known = 0x37_0FFF & ~ControlRegisters.LA57;
    for (int bit = 0; bit < 64; bit++) {
      long value = 1L << bit;
      if ((known & value) == 0) {
        generalProtection(() -> control.writeCr4(value));
      } else if (value != ControlRegisters.PCIDE) {
        control.writeCr4(value);
      }
    }
  }

  @Test
  void aModelWithoutTheFeatureReservesItsBit() {
    try (TestCpu old = new TestCpu(TestCpu.model("pentium3"))) {
      for (long bit :
          new long[] {
            ControlRegisters.SMEP,
            ControlRegisters.SMAP,
            ControlRegisters.OSXSAVE,
            ControlRegisters.UMIP,
            ControlRegisters.FSGSBASE
          }) {
        generalProtection(() -> old.cpu.control.writeCr4(bit));
      }
    }
    try (TestCpu plain = new TestCpu(TestCpu.model("troupe-v1-noxsave"))) {
      generalProtection(() -> plain.cpu.control.writeCr4(ControlRegisters.OSXSAVE));
    }
  }

  @Test
  void cr3ReservesWhatIsBeyondThePhysicalWidth() {
    t.longMode();
    for (int bit = t.cpu.model.physicalBits(); bit < 64; bit++) {
      long value = 1L << bit;
      generalProtection(() -> control.writeCr3(value));
    }
    control.writeCr3(1L << (t.cpu.model.physicalBits() - 1));
  }

  @Test
  void reservedBitsInPdptesRefuseCr3AndPaging() {
    t.memory.copyIn(0x1000, new byte[] {(byte) 0xE7});
    control.writeCr0(PROTECTED);
    control.writeCr4(ControlRegisters.PAE);
    control.writeCr3(0x1000);
    generalProtection(() -> control.writeCr0(PAGING));
    control.writeCr3(0x2000);
    control.writeCr0(PAGING);
    generalProtection(() -> control.writeCr3(0x1000));
    assertThat(t.cpu.cr3).isEqualTo(0x2000);
  }

  @Test
  void cr8IsTheTaskPriorityClass() {
    control.writeCr8(9);
    assertThat(t.cpu.apic.cr8()).isEqualTo(9);
    generalProtection(() -> control.writeCr8(16));
  }

  @Test
  void lmswSetsProtectionAndCannotClearIt() {
    control.loadStatusWord(0xFFFF);
    assertThat(t.cpu.cr0 & 0xF).isEqualTo(0xF);
    control.loadStatusWord(0);
    assertThat(t.cpu.cr0 & 0xF).isEqualTo(1);
  }

  @Test
  void xsetbvChecksEveryArgument() {
    generalProtection(() -> control.writeXcr(1, 1));
    generalProtection(() -> control.writeXcr(-1, 1));
    generalProtection(() -> control.writeXcr(0, 0));
    generalProtection(() -> control.writeXcr(0, 2));
    for (int bit = 2; bit < 64; bit++) {
      long value = 1L | 1L << bit;
      generalProtection(() -> control.writeXcr(0, value));
    }
    control.writeXcr(0, 3);
    control.writeXcr(0, 1);
    assertThat(control.readXcr(0)).isEqualTo(1);
    generalProtection(() -> control.readXcr(1));
  }
}
