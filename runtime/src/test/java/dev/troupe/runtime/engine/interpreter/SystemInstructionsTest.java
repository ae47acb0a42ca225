package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
import java.util.List;
import org.junit.jupiter.api.Test;

/** System instructions as the engine runs them: who may use them, and what they leave behind. */
class SystemInstructionsTest {
  private static final String HLT = "f4";

  @Test
  void virtualizationInstructionsAreUndefinedAtEveryPrivilege() {
    List<String> instructions =
        List.of(
            "0f01c1",
            "0f01c2",
            "0f01c3",
            "0f01c4",
            "0f01d4",
            "0f01d8",
            "0f01d9",
            "0f01da",
            "0f01db",
            "0f01dc",
            "0f01dd",
            "0f01de",
            "0f01df",
            "0f78c0",
            "0f79c0",
            "0fc730",
            "660fc730",
            "f30fc730",
            "0fc738",
            "660f388000",
            "660f388100",
            "0f37",
            "0faa");
    for (int level : new int[] {0, 3}) {
      for (String code : instructions) {
        try (Ring r = new Ring(level)) {
          assertThat(r.vectorOf(code)).as("%s at CPL %d", code, level).isEqualTo(Fault.UD);
          assertThat(r.saved(0)).isEqualTo(Ring.CODE);
        }
      }
    }
  }

  @Test
  void privilegedInstructionsFaultAboveRingZero() {
    for (String code :
        List.of(
            "f4", "0f20c0", "0f22c0", "0f21c0", "0f23c0", "0f06", "0f08", "0f09", "0f30", "0f32",
            "0f0138", "0f01f8", "fa", "fb", "0f01f0", "0f07")) {
      try (Ring r = new Ring(3)) {
        assertThat(r.vectorOf(code)).as(code).isEqualTo(Fault.GP);
      }
    }
  }

  @Test
  void anInterruptIsTakenAfterTheInstructionThatFollowsSti() {
    try (Ring r = new Ring(0)) {
      r.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(r.vectorOf("fb 90 90 90 f4")).isEqualTo(0x40);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 2);
    }
  }

  @Test
  void stiOpensNoWindowBeforeCli() {
    try (Ring r = new Ring(0)) {
      r.vcpu.post(new Interrupt.Fixed(0x40, false));
      r.code("fb fa 90 f4");
      assertThat(r.run()).isInstanceOf(Exit.Halt.class);
      assertThat(r.cpu.rip).isEqualTo(Ring.CODE + 4);
    }
  }

  @Test
  void aSecondStiDoesNotExtendTheShadow() {
    try (Ring r = new Ring(0)) {
      r.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(r.vectorOf("fb fb 90 90 f4")).isEqualTo(0x40);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 2);
    }
  }

  @Test
  void stiAndHaltWakesAndReturnsAfterTheHalt() {
    try (Ring r = new Ring(0)) {
      r.code("fb f4 90 90");
      assertThat(r.run()).isInstanceOf(Exit.Halt.class);
      assertThat(r.run()).as("still halted").isInstanceOf(Exit.Halt.class);
      assertThat(r.cpu.rip).isEqualTo(Ring.CODE + 2);
      r.vcpu.post(new Interrupt.Fixed(0x40, false));
      r.run();
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 2);
    }
  }

  @Test
  void movSsHoldsInterruptsAndNmisBackForOneInstruction() {
    for (Interrupt i : List.of(new Interrupt.Fixed(0x40, false), new Interrupt.Nmi())) {
      try (Ring r = new Ring(0)) {
        r.cpu.gpr[Cpu.RAX] = Ring.KERNEL_DATA;
        r.cpu.gpr[Cpu.RBX] = 1;
        r.code("8e d0 90 90 f4");
        assertThat(r.engine.run(r.vcpu, 1)).isInstanceOf(Exit.TurnEnd.class);
        r.cpu.systemFlags |= Rflags.IF;
        r.vcpu.post(i);
        r.run();
        assertThat(r.saved(0)).as("%s", i).isEqualTo(Ring.CODE + 3);
      }
    }
  }

  @Test
  void popfOpensTheWindowAtOnce() {
    try (Ring r = new Ring(0)) {
      r.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(r.vectorOf("68 02 02 00 00 9d 90 90 f4")).isEqualTo(0x40);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 6);
    }
  }

  @Test
  void popfChangesWhatItsPrivilegeAllows() {
    long all = Rflags.ALL & ~(Rflags.TF | Rflags.NT | Rflags.AC);
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RAX] = all;
      r.code("50 9d fa f4").run();
      long kernel = Rflags.get(r.cpu) & all;
      assertThat(kernel)
          .isEqualTo(all & ~(Rflags.RF | Rflags.VM | Rflags.VIF | Rflags.VIP | Rflags.IF));
    }
    try (Ring r = new Ring(3)) {
      r.cpu.gpr[Cpu.RAX] = all;
      assertThat(r.vectorOf("50 9d f4")).isEqualTo(Fault.GP);
      assertThat(r.saved(2) & (Rflags.IOPL | Rflags.IF | Rflags.ID)).isEqualTo(Rflags.ID);
    }
    try (Ring r = new Ring(3)) {
      Rflags.set(r.cpu, 3L << 12, Rflags.IOPL);
      r.cpu.gpr[Cpu.RAX] = Rflags.IF;
      assertThat(r.vectorOf("50 9d f4")).isEqualTo(Fault.GP);
      assertThat(r.saved(2) & (Rflags.IOPL | Rflags.IF)).isEqualTo(Rflags.IOPL | Rflags.IF);
    }
  }

  @Test
  void protectedModeVirtualInterruptsGoToVif() {
    try (Ring r = new Ring(3)) {
      r.cpu.cr4 |= ControlRegisters.PVI;
      assertThat(r.vectorOf("fb f4")).isEqualTo(Fault.GP);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 1);
      assertThat(r.saved(2) & Rflags.VIF).isNotZero();
    }
    try (Ring r = new Ring(3)) {
      r.cpu.cr4 |= ControlRegisters.PVI;
      r.cpu.systemFlags |= Rflags.VIP;
      assertThat(r.vectorOf("fb f4")).isEqualTo(Fault.GP);
      assertThat(r.saved(0)).as("STI with VIP").isEqualTo(Ring.CODE);
    }
  }

  @Test
  void pushfShowsNeitherRfNorVm() {
    try (Ring r = new Ring(0)) {
      r.cpu.systemFlags |= Rflags.RF | Rflags.AC;
      r.cpu.updateMode();
      r.code("9c 58 f4").run();
      assertThat(r.cpu.gpr[Cpu.RAX]).isEqualTo(Rflags.get(r.cpu));
      assertThat(r.cpu.gpr[Cpu.RAX] & Rflags.RF).isZero();
    }
  }

  @Test
  void syscallAndSysretGoThereAndBack() {
    try (Ring r = new Ring(3)) {
      r.cpu.msrs.write(0xC000_0081, 0x001B_0008L << 32);
      r.cpu.msrs.write(0xC000_0082, 0x5000);
      r.cpu.msrs.write(0xC000_0084, Rflags.IF | Rflags.DF);
      Rflags.set(r.cpu, Rflags.IF | Rflags.DF | Rflags.CF, Rflags.ALL);
      r.memory.copyIn(0x5000, new byte[] {0x48, 0x0F, 0x07});
      r.code("0f 05 f4");
      r.engine.run(r.vcpu, 1);
      assertThat(r.cpu.rip).isEqualTo(0x5000);
      assertThat(r.cpu.cpl).isZero();
      assertThat(r.cpu.selector[Cpu.CS]).isEqualTo(8);
      assertThat(r.cpu.selector[Cpu.SS]).isEqualTo(0x10);
      assertThat(r.cpu.gpr[Cpu.RCX]).isEqualTo(Ring.CODE + 2);
      assertThat(r.cpu.gpr[11]).isEqualTo(Rflags.IF | Rflags.DF | Rflags.CF | Rflags.FIXED);
      assertThat(Rflags.get(r.cpu)).isEqualTo(Rflags.CF | Rflags.FIXED);
      r.engine.run(r.vcpu, 1);
      assertThat(r.cpu.rip).isEqualTo(Ring.CODE + 2);
      assertThat(r.cpu.cpl).isEqualTo(3);
      assertThat(r.cpu.selector[Cpu.CS]).isEqualTo(0x2B);
      assertThat(r.cpu.selector[Cpu.SS]).isEqualTo(0x23);
      assertThat(Rflags.get(r.cpu)).isEqualTo(Rflags.IF | Rflags.DF | Rflags.CF | Rflags.FIXED);
    }
  }

  @Test
  void syscallNeedsSceAndSysenterIsNotInAmdsLongMode() {
    try (Ring r = new Ring(3)) {
      r.cpu.efer &= ~1;
      assertThat(r.vectorOf("0f05")).isEqualTo(Fault.UD);
    }
    try (Ring r = new Ring(3)) {
      assertThat(r.vectorOf("0f34")).isEqualTo(Fault.UD);
    }
  }

  @Test
  void timeStampsFollowTheirDisableBit() {
    try (Ring r = new Ring(3)) {
      r.now = 0x1_2345_6789L;
      r.cpu.msrs.write(0xC000_0103, 77);
      r.vectorOf("0f 01 f9 f4");
      assertThat(r.cpu.gpr[Cpu.RAX]).isEqualTo(0x2345_6789L);
      assertThat(r.cpu.gpr[Cpu.RDX]).isEqualTo(1);
      assertThat(r.cpu.gpr[Cpu.RCX]).isEqualTo(77);
    }
    for (String code : List.of("0f31", "0f01f9")) {
      try (Ring r = new Ring(3)) {
        r.cpu.cr4 |= ControlRegisters.TSD;
        assertThat(r.vectorOf(code)).isEqualTo(Fault.GP);
        assertThat(r.saved(0)).isEqualTo(Ring.CODE);
      }
    }
  }

  @Test
  void rdpmcFaultsOutOfRangeAndWithoutPce() {
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RCX] = 4;
      assertThat(r.vectorOf("0f33")).isEqualTo(Fault.GP);
    }
    try (Ring r = new Ring(3)) {
      assertThat(r.vectorOf("0f33")).isEqualTo(Fault.GP);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE);
    }
  }

  @Test
  void cpuidIsTheSameWithRex() {
    try (Ring r = new Ring(3)) {
      r.vectorOf("48 0f a2 f4");
      assertThat(r.cpu.gpr[Cpu.RBX]).isEqualTo(0x6874_7541L);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 3);
    }
  }

  @Test
  void monitorAndMwaitCheckRegistersAndPrivilege() {
    try (Ring r = new Ring(3)) {
      assertThat(r.vectorOf("0f01c8")).isEqualTo(Fault.UD);
    }
    try (Ring r = new Ring(3)) {
      assertThat(r.vectorOf("0f01c9")).isEqualTo(Fault.UD);
    }
    try (Ring r = new Ring(3)) {
      r.cpu.gpr[Cpu.RAX] = 0x5000;
      assertThat(r.vectorOf("0f01fa f4")).as("MONITORX at CPL 3").isEqualTo(Fault.GP);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 3);
    }
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RCX] = 1;
      assertThat(r.vectorOf("0f01c8")).isEqualTo(Fault.GP);
    }
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RCX] = 2;
      assertThat(r.vectorOf("0f01c9")).isEqualTo(Fault.GP);
    }
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RCX] = 4;
      assertThat(r.vectorOf("0f01fb")).isEqualTo(Fault.GP);
    }
  }

  @Test
  void mwaitxWaitsForItsTimer() {
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RAX] = 0x5000;
      r.code("0f01fa b9 02000000 bb e8030000 0f01fb 90 f4");
      assertThat(r.run()).isInstanceOf(Exit.Halt.class);
      assertThat(r.vcpu.nextDeadline()).isEqualTo(1000);
      r.now = 1000;
      assertThat(r.engine.run(r.vcpu, 1)).isInstanceOf(Exit.TurnEnd.class);
      assertThat(r.cpu.activity).isEqualTo(Cpu.Activity.ACTIVE);
    }
  }

  @Test
  void segmentBasesNeedTheirControlBitAndCanonicalAddresses() {
    for (String code : List.of("f3480faec0", "f3480faec8", "f3480faed0", "f3480faed8")) {
      try (Ring r = new Ring(3)) {
        assertThat(r.vectorOf(code)).as(code).isEqualTo(Fault.UD);
      }
    }
    try (Ring r = new Ring(3)) {
      r.cpu.cr4 |= ControlRegisters.FSGSBASE;
      r.cpu.gpr[Cpu.RAX] = 1L << 47;
      assertThat(r.vectorOf("f3480faed0")).isEqualTo(Fault.GP);
    }
    try (Ring r = new Ring(0)) {
      r.cpu.cr4 |= ControlRegisters.FSGSBASE;
      r.cpu.gpr[Cpu.RAX] = -4096;
      r.code("f3480faed8 0f01f8 f3480faecb f4").run();
      assertThat(r.cpu.gpr[Cpu.RBX]).isZero();
      assertThat(r.cpu.msrs.kernelGsBase).isEqualTo(-4096);
    }
  }

  @Test
  void randomNumbersSetCarryAndClearTheOthers() {
    try (Ring r = new Ring(0)) {
      Rflags.setArithmetic(r.cpu, Rflags.ARITHMETIC);
      r.code("66 0f c7 f0 0f c7 fb f4").run();
      assertThat(r.cpu.gpr[Cpu.RAX]).isEqualTo(0xFFFF);
      assertThat(r.cpu.gpr[Cpu.RBX]).isEqualTo(0xFFFF_FFFFL);
      assertThat(Rflags.arithmetic(r.cpu)).isEqualTo(Rflags.CF);
    }
  }

  @Test
  void invpcidChecksTypeAndDescriptor() {
    record Case(long type, long low, long high, boolean fault) {}
    for (Case c :
        List.of(
            new Case(0, 0, 0x1000, false),
            new Case(0, 0, 1L << 47, true),
            new Case(0, 1, 0, true),
            new Case(1, 0x1000, 0, true),
            new Case(2, 0, 0, false),
            new Case(3, 0, 0, false),
            new Case(4, 0, 0, true))) {
      try (Ring r = new Ring(0)) {
        r.memory.copyIn(0x5000, new byte[16]);
        for (int i = 0; i < 8; i++) {
          r.memory.copyIn(0x5000 + i, new byte[] {(byte) (c.low >>> (8 * i))});
          r.memory.copyIn(0x5008 + i, new byte[] {(byte) (c.high >>> (8 * i))});
        }
        r.cpu.gpr[Cpu.RAX] = c.type;
        r.cpu.gpr[Cpu.RBX] = 0x5000;
        r.code("66 0f 38 82 03 f4").run();
        assertThat(r.cpu.rip != Ring.CODE + 6).as("%s faults", c).isEqualTo(c.fault);
      }
    }
  }

  @Test
  void controlRegistersThatDoNotExistAreUndefined() {
    for (String code : List.of("0f20c8", "0f22e8", "440f20c8", "440f22f8", "440f21c0")) {
      try (Ring r = new Ring(0)) {
        assertThat(r.vectorOf(code)).as(code).isEqualTo(Fault.UD);
      }
    }
  }

  @Test
  void cr8IsThePriorityAndLowersIt() {
    try (Ring r = new Ring(0)) {
      r.cpu.systemFlags |= Rflags.IF;
      r.cpu.apic.setCr8(5);
      r.vcpu.post(new Interrupt.Fixed(0x51, false));
      r.cpu.gpr[Cpu.RAX] = 4;
      assertThat(r.vectorOf("90 90 440f22c0 90 f4")).isEqualTo(0x51);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 6);
    }
  }

  @Test
  void singleStepTrapsAfterEachInstructionThatBeginsWithTf() {
    try (Ring r = new Ring(0)) {
      assertThat(r.vectorOf("68 02 01 00 00 9d 90 90 f4")).isEqualTo(Fault.DB);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 7);
      assertThat(r.cpu.dr[6]).isEqualTo(0xFFFF_4FF0L);
      assertThat(r.saved(2) & Rflags.TF).isNotZero();
    }
  }

  @Test
  void aStepOverMovSsTrapsOneLater() {
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RAX] = Ring.KERNEL_DATA;
      assertThat(r.vectorOf("68 02 01 00 00 9d 8e d0 90 90 f4")).isEqualTo(Fault.DB);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 9);
    }
  }

  @Test
  void guestBreakpointsAndWatchpointsHit() {
    try (Ring r = new Ring(3)) {
      r.cpu.debug.write(0, Ring.CODE + 2);
      r.cpu.debug.write(7, 0x401);
      assertThat(r.vectorOf("90 90 90 90")).isEqualTo(Fault.DB);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE + 2);
      assertThat(r.cpu.dr[6] & 0xF).isEqualTo(1);
      assertThat(r.saved(2) & Rflags.RF).as("a fault").isNotZero();
    }
    try (Ring r = new Ring(3)) {
      r.cpu.debug.write(1, 0x5004);
      r.cpu.debug.write(7, 0x404 | 0xDL << 20);
      r.cpu.gpr[Cpu.RBX] = 0x5000;
      assertThat(r.vectorOf("8b 03 89 43 02 90 f4")).isEqualTo(Fault.DB);
      assertThat(r.saved(0)).as("after the access").isEqualTo(Ring.CODE + 5);
      assertThat(r.cpu.dr[6] & 0xF).isEqualTo(2);
    }
  }

  @Test
  void anUndefinedSystemInstructionOfAnOlderModelIsUndefined() {
    CpuModel old = CpuModel.byName("x86-64").orElseThrow();
    for (String code :
        List.of(
            "0f01f9",
            "0fc7f0",
            "0fc7f8",
            "f3480faec0",
            "0f01ca",
            "0f01d0",
            "660f388203",
            "0f01c8")) {
      try (Ring r = new Ring(old, 0)) {
        assertThat(r.vectorOf(code)).as(code).isEqualTo(Fault.UD);
      }
    }
  }

  @Test
  void cacheInstructionsFaultAsLoadsAndDoNothingElse() {
    try (Ring r = new Ring(0)) {
      r.cpu.gpr[Cpu.RBX] = 0x5000;
      assertThat(r.code("0fae3b 0f08 0f09 0faef0 0faee8 0faef8" + HLT).run())
          .isInstanceOf(Exit.Halt.class);
      assertThat(r.cpu.rip).isEqualTo(Ring.CODE + 17);
    }
  }
}
