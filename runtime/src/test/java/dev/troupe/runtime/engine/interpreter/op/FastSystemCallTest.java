package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import org.junit.jupiter.api.Test;

/** What the vendors do differently: Intel SDM vol. 2 and AMD APM vol. 3, SYSCALL to SYSEXIT. */
class FastSystemCallTest {
  private static final long LOW = 0xFFFF_FFFFL;
  private static final CpuModel AMD = CpuModel.DEFAULT;
  private static final CpuModel PENTIUM = CpuModel.byName("pentium3").orElseThrow();

  private interface Body {
    void run(Cpu cpu, Insn insn);
  }

  /** Runs with a vCPU in protected mode, 32-bit code, at this privilege level. */
  private static void with(CpuModel model, int level, Body body) {
    try (GuestMemory memory = GuestMemory.allocate(1 << 16)) {
      Cpu cpu = new Cpu(model, memory, () -> 0, () -> 0);
      cpu.cr0 = ControlRegisters.PE | ControlRegisters.ET;
      cpu.setSegment(Cpu.CS, 0x18 | level, 0, LOW, 0xCF9B | level << 5);
      cpu.setSegment(Cpu.SS, 0x20 | level, 0, LOW, 0xCF93 | level << 5);
      cpu.cpl = level;
      cpu.updateMode();
      Insn insn = new Insn();
      insn.operandSize = 32;
      insn.nextRip = 0x1002;
      body.run(cpu, insn);
    }
  }

  private static void compatibility(Cpu cpu) {
    cpu.efer = Msrs.EFER_LME | Msrs.EFER_LMA | Msrs.EFER_SCE;
    cpu.updateMode();
  }

  private static void faults(int vector, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(Fault.class, f -> assertThat(f.vector).isEqualTo(vector));
  }

  @Test
  void amdCallsFromCompatibilityModeThroughCstar() {
    with(
        AMD,
        3,
        (c, i) -> {
          compatibility(c);
          c.msrs.star = 0x001B_0008_0000_5555L;
          c.msrs.lstar = 0x1111;
          c.msrs.cstar = 0x2222;
          FastSystemCall.call(c, i);
          assertThat(c.rip).isEqualTo(0x2222);
          assertThat(c.gpr[Cpu.RCX]).isEqualTo(0x1002);
          assertThat(c.segmentAttributes[Cpu.CS] & Cpu.ATTRIBUTE_L).isNotZero();
          assertThat(c.cpl).isZero();
        });
  }

  @Test
  void amdCallsInLegacyModeThroughStar() {
    with(
        AMD,
        3,
        (c, i) -> {
          c.efer = Msrs.EFER_SCE;
          c.systemFlags = Rflags.IF;
          c.msrs.star = 0x0023_0008_0000_5555L;
          FastSystemCall.call(c, i);
          assertThat(c.rip).isEqualTo(0x5555);
          assertThat(c.systemFlags & Rflags.IF).isZero();
          assertThat(c.segmentAttributes[Cpu.CS]).isEqualTo(0xCF9B);
          c.gpr[Cpu.RCX] = 0x1234;
          FastSystemCall.callReturn(c, i);
          assertThat(c.rip).isEqualTo(0x1234);
          assertThat(c.selector[Cpu.CS]).isEqualTo(0x23);
          assertThat(c.selector[Cpu.SS]).isEqualTo(0x2B);
          assertThat(c.cpl).isEqualTo(3);
          assertThat(c.systemFlags & Rflags.IF).isNotZero();
        });
  }

  @Test
  void sysretTo32BitCodeOf64BitKernels() {
    with(
        AMD,
        0,
        (c, i) -> {
          compatibility(c);
          c.msrs.star = 0x0023_0010_0000_0000L;
          c.gpr[Cpu.RCX] = 0x7_0000_1234L;
          c.gpr[11] = Rflags.ALL;
          FastSystemCall.callReturn(c, i);
          assertThat(c.rip).isEqualTo(0x1234);
          assertThat(c.selector[Cpu.CS]).isEqualTo(0x23);
          assertThat(c.segmentAttributes[Cpu.CS]).isEqualTo(0xCFFB);
          assertThat(Rflags.get(c) & (Rflags.RF | Rflags.VM)).isZero();
        });
  }

  @Test
  void intelsSysenterAndSysexitInLegacyMode() {
    with(
        PENTIUM,
        3,
        (c, i) -> {
          faults(Fault.GP, () -> FastSystemCall.enter(c, i));
          c.msrs.sysenterCs = 0x10;
          c.msrs.sysenterEip = 0xC000_1000L;
          c.msrs.sysenterEsp = 0xC100_0000L;
          c.systemFlags = Rflags.IF;
          FastSystemCall.enter(c, i);
          assertThat(c.rip).isEqualTo(0xC000_1000L);
          assertThat(c.gpr[Cpu.RSP]).isEqualTo(0xC100_0000L);
          assertThat(c.selector[Cpu.CS]).isEqualTo(0x10);
          assertThat(c.selector[Cpu.SS]).isEqualTo(0x18);
          assertThat(c.cpl).isZero();
          assertThat(c.systemFlags & Rflags.IF).isZero();
          c.gpr[Cpu.RDX] = 0x8000;
          c.gpr[Cpu.RCX] = 0x9000;
          FastSystemCall.exit(c, i);
          assertThat(c.rip).isEqualTo(0x8000);
          assertThat(c.gpr[Cpu.RSP]).isEqualTo(0x9000);
          assertThat(c.selector[Cpu.CS]).isEqualTo(0x23);
          assertThat(c.selector[Cpu.SS]).isEqualTo(0x2B);
          assertThat(c.cpl).isEqualTo(3);
        });
  }

  @Test
  void sysenterIsUndefinedInAmdsLongMode() {
    with(
        AMD,
        3,
        (c, i) -> {
          compatibility(c);
          c.msrs.sysenterCs = 0x10;
          faults(Fault.UD, () -> FastSystemCall.enter(c, i));
        });
  }
}
