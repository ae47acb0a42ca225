package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Intel SDM vol. 3A, table 10-1. */
class CpuResetTest {
  @Test
  void resetGivesThePowerOnState() {
    try (TestCpu t = new TestCpu()) {
      Cpu c = t.cpu;
      assertThat(c.rip).isEqualTo(0xFFF0);
      assertThat(c.selector[Cpu.CS]).isEqualTo(0xF000);
      assertThat(c.segmentBase[Cpu.CS]).isEqualTo(0xFFFF_0000L);
      assertThat(c.cr0).isEqualTo(0x6000_0010);
      assertThat(Rflags.get(c)).isEqualTo(2);
      assertThat(c.gpr[Cpu.RDX]).isEqualTo(c.model.signature());
      assertThat(c.dr[6]).isEqualTo(0xFFFF_0FF0L);
      assertThat(c.dr[7]).isEqualTo(0x400);
      assertThat(c.mode & (Mode.PROTECTED | Mode.CODE_32 | Mode.CODE_64)).isZero();
      assertThat(c.x87.control).isEqualTo(0x40);
    }
  }

  @Test
  void initKeepsFpuVectorAndModelSpecificRegistersAndCacheBits() {
    try (TestCpu t = new TestCpu()) {
      t.longMode();
      t.cpu.xmm[0] = 42;
      t.cpu.x87.control = 0x27F;
      t.writeMsr(0xC000_0082, 0x1234);
      t.cpu.gpr[Cpu.RBX] = 9;
      PowerOn.init(t.cpu);
      assertThat(t.cpu.xmm[0]).isEqualTo(42);
      assertThat(t.cpu.x87.control).isEqualTo(0x27F);
      assertThat(t.readMsr(0xC000_0082)).isEqualTo(0x1234);
      assertThat(t.cpu.gpr[Cpu.RBX]).isZero();
      assertThat(t.cpu.cr0).isEqualTo(ControlRegisters.ET);
      assertThat(t.cpu.rip).isEqualTo(0xFFF0);
      assertThat(t.cpu.activity).isEqualTo(Cpu.Activity.ACTIVE);
    }
  }

  @Test
  void theTimeStampCounterStartsAtZeroAndCountsNanoseconds() {
    try (TestCpu t = new TestCpu()) {
      t.now = 5000;
      t.vcpu.reset();
      assertThat(t.cpu.tsc()).isZero();
      t.now = 5123;
      assertThat(t.cpu.tsc()).isEqualTo(123);
    }
  }
}
