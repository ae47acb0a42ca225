package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Intel SDM vol. 3B, 17.2 and 17.3. */
class DebugRegistersTest {
  private static final int EXECUTE = 0;
  private static final int WRITE = 1;
  private static final int PORT = 2;
  private static final int READ_WRITE = 3;

  private final TestCpu t = new TestCpu().longMode();
  private final DebugRegisters debug = t.cpu.debug;

  @AfterEach
  void close() {
    t.close();
  }

  /** Breakpoint {@code n}, globally enabled; {@code length} is the encoding. */
  private void breakpoint(int n, long address, int kind, int length) {
    debug.write(n, address);
    long control = 2L << (2 * n) | (long) (kind | length << 2) << (16 + 4 * n);
    debug.write(7, t.cpu.dr[7] | control);
  }

  @Test
  void reservedBitsReadAsFixed() {
    debug.write(6, 0);
    assertThat(debug.read(6)).isEqualTo(0xFFFF_0FF0L);
    debug.write(6, 0xFFFF_FFFFL);
    assertThat(debug.read(6)).isEqualTo(0xFFFF_EFFFL);
    debug.write(7, 0xFFFF_DFFFL);
    assertThat(debug.read(7)).isEqualTo(0xFFFF_07FFL);
  }

  @Test
  void theHighHalvesOfDr6AndDr7AreReserved() {
    TestCpu.faults(Fault.GP, () -> debug.write(6, 1L << 32));
    TestCpu.faults(Fault.GP, () -> debug.write(7, 1L << 63));
  }

  @Test
  void dr4AndDr5AreAliasesOrUndefined() {
    debug.write(5, 0x401);
    assertThat(debug.read(7)).isEqualTo(0x401);
    assertThat(debug.read(4)).isEqualTo(debug.read(6));
    t.cpu.control.writeCr4(ControlRegisters.PAE | ControlRegisters.DE);
    TestCpu.faults(Fault.UD, () -> debug.read(4));
    TestCpu.faults(Fault.UD, () -> debug.write(5, 0));
    TestCpu.faults(Fault.UD, () -> debug.read(8));
  }

  @Test
  void generalDetectTrapsEveryAccessOnce() {
    debug.write(7, DebugRegisters.GD);
    TestCpu.faults(Fault.DB, () -> debug.read(0));
    assertThat(debug.read(6) & DebugRegisters.BD).isNotZero();
    assertThat(debug.read(7) & DebugRegisters.GD).as("off in the handler").isZero();
  }

  @Test
  void anInstructionBreakpointFaultsUnlessRfIsSet() {
    breakpoint(1, 0x1234, EXECUTE, 0);
    assertThat(t.cpu.mode & Mode.SLOW).isNotZero();
    t.cpu.rip = 0x1233;
    debug.before();
    assertThat(debug.after()).isFalse();
    t.cpu.rip = 0x1234;
    TestCpu.faults(Fault.DB, debug::before);
    assertThat(t.cpu.dr[6] & 0xF).isEqualTo(2);
    Rflags.set(t.cpu, Rflags.RF, Rflags.RF);
    debug.before();
    assertThat(t.cpu.systemFlags & Rflags.RF).as("used up").isZero();
    assertThat(debug.after()).isFalse();
  }

  @Test
  void dataBreakpointsTrapAfterTheAccess() {
    breakpoint(0, 0x2004, WRITE, 3);
    breakpoint(3, 0x3000, READ_WRITE, 1);
    assertThat(debug.covers(0x2000)).isTrue();
    assertThat(debug.covers(0x4000)).isFalse();
    debug.before();
    debug.accessed(0x2004, 4, false);
    assertThat(debug.after()).as("read of a write breakpoint").isFalse();
    debug.before();
    debug.accessed(0x2000, 4, true);
    debug.accessed(0x2008, 8, true);
    assertThat(debug.after()).as("beside it").isFalse();
    debug.before();
    debug.accessed(0x2000, 8, true);
    debug.accessed(0x3001, 1, false);
    assertThat(debug.after()).isTrue();
    assertThat(t.cpu.dr[6] & 0xF).isEqualTo(9);
  }

  @Test
  void anInstructionThatIsUndoneLeavesNoTrap() {
    breakpoint(0, 0x2000, WRITE, 0);
    debug.before();
    debug.accessed(0x2000, 1, true);
    debug.discard();
    debug.before();
    assertThat(debug.after()).isFalse();
  }

  @Test
  void portBreakpointsNeedCr4De() {
    breakpoint(2, 0x60, PORT, 0);
    debug.before();
    debug.port(0x60, 1);
    assertThat(debug.after()).isFalse();
    t.cpu.control.writeCr4(ControlRegisters.PAE | ControlRegisters.DE);
    debug.before();
    debug.port(0x5F, 2);
    assertThat(debug.after()).isTrue();
    assertThat(t.cpu.dr[6] & 0xF).isEqualTo(4);
  }

  @Test
  void singleStepTrapsAfterTheInstructionThatBeganWithTf() {
    Rflags.set(t.cpu, Rflags.TF, Rflags.TF);
    debug.before();
    Rflags.set(t.cpu, 0, Rflags.TF);
    assertThat(debug.after()).isTrue();
    assertThat(t.cpu.dr[6] & DebugRegisters.BS).isNotZero();
    debug.before();
    Rflags.set(t.cpu, Rflags.TF, Rflags.TF);
    assertThat(debug.after()).as("POPF that sets TF is not stepped itself").isFalse();
  }

  @Test
  void trapsWaitForTheInstructionAfterMovSs() {
    breakpoint(0, 0x2000, READ_WRITE, 0);
    debug.before();
    debug.accessed(0x2000, 2, false);
    t.cpu.shadow = Cpu.SHADOW_MOV_SS;
    assertThat(debug.after()).isFalse();
    t.cpu.shadow = 0;
    debug.before();
    assertThat(debug.after()).isTrue();
    assertThat(t.cpu.dr[6] & 0xF).isEqualTo(1);
  }

  @Test
  void aSoftwareInterruptIsNotStepped() {
    Rflags.set(t.cpu, Rflags.TF, Rflags.TF);
    debug.before();
    debug.softwareInterrupt();
    assertThat(debug.after()).isFalse();
  }

  @Test
  void rangesAreAlignedAndMeetAtTheEndsOfTheAddressSpace() {
    breakpoint(0, -8, READ_WRITE, 2);
    debug.before();
    debug.accessed(-1, 1, false);
    assertThat(debug.after()).isTrue();
    debug.before();
    debug.accessed(0, 8, false);
    assertThat(debug.after()).isFalse();
    breakpoint(1, 0x2003, READ_WRITE, 3);
    debug.before();
    debug.accessed(0x2000, 1, false);
    assertThat(debug.after()).as("low address bits are ignored").isTrue();
  }
}
