package dev.troupe.runtime.cpu;

import dev.troupe.runtime.memory.GuestMemory;
import org.assertj.core.api.Assertions;

/** A vCPU in its power-on state with a little memory and a clock that the test sets. */
final class TestCpu implements AutoCloseable {
  final GuestMemory memory = GuestMemory.allocate(1 << 20);
  long now;
  final Cpu cpu;
  final Vcpu vcpu;

  TestCpu() {
    this(CpuModel.DEFAULT);
  }

  TestCpu(CpuModel model) {
    this(model, 0, 1);
  }

  TestCpu(CpuModel model, int apicId, int count) {
    cpu = new Cpu(model, memory, () -> now, () -> 0x0123_4567_89AB_CDEFL, apicId, count);
    vcpu = new Vcpu(cpu);
  }

  static CpuModel model(String name) {
    return CpuModel.byName(name).orElseThrow();
  }

  /** Puts the vCPU into 64-bit mode with the registers as they are after a kernel's entry. */
  TestCpu longMode() {
    cpu.efer = Msrs.EFER_LME | Msrs.EFER_LMA;
    cpu.cr4 = ControlRegisters.PAE;
    cpu.cr0 = ControlRegisters.PE | ControlRegisters.PG | ControlRegisters.ET;
    cpu.setSegment(Cpu.CS, 0x10, 0, 0xFFFF_FFFFL, 0xAF9B);
    cpu.updateMode();
    return this;
  }

  void writeMsr(int msr, long value) {
    Assertions.assertThat(cpu.msrs.write(msr, value)).as("WRMSR %x <- %x", msr, value).isTrue();
  }

  long readMsr(int msr) {
    Assertions.assertThat(cpu.msrs.read(msr)).as("RDMSR %x", msr).isTrue();
    return cpu.msrs.value;
  }

  /** Runs and expects the fault. */
  static void faults(int vector, Runnable action) {
    Assertions.assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Fault.class, f -> Assertions.assertThat(f.vector).as("vector").isEqualTo(vector));
  }

  @Override
  public void close() {
    memory.close();
  }
}
