package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Intel SDM vol. 3A, chapter 11. */
class LocalApicTest {
  private static final int APIC_BASE = 0x1B;
  private static final long X2APIC = 0xFEE0_0D00L;

  private final TestCpu t = new TestCpu();
  private final LocalApic apic = t.cpu.apic;

  LocalApicTest() {
    write(ApicRegisters.SVR, 0x1FF);
  }

  @AfterEach
  void close() {
    t.close();
  }

  private void write(int register, long value) {
    apic.write(register, 4, value);
  }

  private long read(int register) {
    return apic.read(register, 4);
  }

  private void x2apic() {
    t.writeMsr(APIC_BASE, X2APIC);
  }

  @Test
  void theTaskPriorityHoldsBackItsClassAndBelow() {
    apic.accept(0x45, false);
    apic.setCr8(4);
    assertThat(read(ApicRegisters.TPR)).isEqualTo(0x40);
    assertThat(apic.hasInterrupt()).isFalse();
    apic.setCr8(3);
    assertThat(apic.hasInterrupt()).isTrue();
    assertThat(apic.acknowledge()).isEqualTo(0x45);
    assertThat(read(ApicRegisters.PPR)).isEqualTo(0x40);
    assertThat(read(ApicRegisters.ISR + 0x20)).isEqualTo(1 << 5);
    assertThat(read(ApicRegisters.IRR + 0x20)).isZero();
  }

  @Test
  void anInterruptOfTheClassInServiceWaitsForItsEnd() {
    apic.accept(0x45, false);
    apic.acknowledge();
    apic.accept(0x4F, false);
    assertThat(apic.hasInterrupt()).isFalse();
    apic.accept(0x50, false);
    assertThat(apic.acknowledge()).isEqualTo(0x50);
    write(ApicRegisters.EOI, 0);
    assertThat(apic.hasInterrupt()).isFalse();
    write(ApicRegisters.EOI, 0);
    assertThat(apic.acknowledge()).isEqualTo(0x4F);
  }

  @Test
  void withoutAnInterruptTheSpuriousVectorIsGiven() {
    assertThat(apic.acknowledge()).isEqualTo(0xFF);
  }

  @Test
  void onlyLevelTriggeredInterruptsAreBroadcastAtTheirEnd() {
    apic.accept(0x40, false);
    apic.acknowledge();
    write(ApicRegisters.EOI, 0);
    assertThat(t.cpu.nextExit()).isNull();
    apic.accept(0x40, true);
    assertThat(read(ApicRegisters.TMR + 0x20)).isEqualTo(1);
    apic.acknowledge();
    write(ApicRegisters.EOI, 0);
    assertThat(t.cpu.nextExit()).isEqualTo(new Exit.EndOfInterrupt(0x40));
    write(ApicRegisters.SVR, 0x11FF);
    apic.accept(0x40, true);
    apic.acknowledge();
    write(ApicRegisters.EOI, 0);
    assertThat(t.cpu.nextExit()).as("suppressed").isNull();
  }

  @Test
  void aDisabledApicTakesNothingAndMasksItsLocalVectors() {
    write(ApicRegisters.LVT_TIMER, 0x40);
    write(ApicRegisters.SVR, 0xFF);
    assertThat(read(ApicRegisters.LVT_TIMER)).isEqualTo(0x10040);
    write(ApicRegisters.LVT_TIMER, 0x40);
    assertThat(read(ApicRegisters.LVT_TIMER)).as("masked while disabled").isEqualTo(0x10040);
    apic.accept(0x40, false);
    assertThat(apic.hasRequests()).isFalse();
  }

  @Test
  void illegalVectorsAndRegistersAreErrors() {
    write(ApicRegisters.LVT_ERROR, 0x77);
    apic.accept(5, false);
    assertThat(apic.acknowledge()).isEqualTo(0x77);
    write(ApicRegisters.EOI, 0);
    read(0x40);
    write(ApicRegisters.ICR, 0x4_0003);
    assertThat(read(ApicRegisters.ESR)).as("latched by a write only").isZero();
    write(ApicRegisters.ESR, 0);
    assertThat(read(ApicRegisters.ESR)).isEqualTo(0xE0);
    write(ApicRegisters.ESR, 0);
    assertThat(read(ApicRegisters.ESR)).isZero();
  }

  @Test
  void aSelfIpiStaysInside() {
    write(ApicRegisters.ICR, 0x4_0041);
    assertThat(t.cpu.nextExit()).isNull();
    assertThat(apic.acknowledge()).isEqualTo(0x41);
    x2apic();
    t.writeMsr(0x83F, 0x52);
    assertThat(apic.acknowledge()).isEqualTo(0x52);
  }

  @Test
  void otherIpisGoOut() {
    write(ApicRegisters.ICR_HIGH, 0x0300_0000);
    write(ApicRegisters.ICR, 0x0_4841);
    assertThat(t.cpu.nextExit())
        .isEqualTo(
            new Exit.Ipi(
                new InterruptMessage(3, true, Delivery.FIXED, 0x41, false),
                Exit.Ipi.Shorthand.NONE));
    write(ApicRegisters.ICR, 0xC_4500);
    assertThat(t.cpu.nextExit())
        .isEqualTo(
            new Exit.Ipi(
                new InterruptMessage(3, false, Delivery.INIT, 0, false),
                Exit.Ipi.Shorthand.OTHERS));
    write(ApicRegisters.ICR, 0xC_8500);
    assertThat(t.cpu.nextExit()).as("INIT de-assert").isNull();
    x2apic();
    t.writeMsr(0x830, 0x0001_0002_0000_4630L);
    assertThat(t.cpu.nextExit())
        .isEqualTo(
            new Exit.Ipi(
                new InterruptMessage(0x10002, false, Delivery.STARTUP, 0x30, false),
                Exit.Ipi.Shorthand.NONE));
  }

  @Test
  void destinationsMatchPhysicalFlatAndCluster() {
    write(ApicRegisters.ID, 0x0500_0000);
    assertThat(apic.matches(5, false)).isTrue();
    assertThat(apic.matches(4, false)).isFalse();
    assertThat(apic.matches(-1, false)).isTrue();
    write(ApicRegisters.LDR, 0x2400_0000);
    assertThat(apic.matches(0x04, true)).isTrue();
    assertThat(apic.matches(0x18, true)).isFalse();
    write(ApicRegisters.DFR, 0x0FFF_FFFF);
    assertThat(apic.matches(0x24, true)).isTrue();
    assertThat(apic.matches(0x34, true)).isFalse();
    assertThat(apic.matches(0xF4, true)).isTrue();
    assertThat(apic.matches(0x22, true)).isFalse();
  }

  @Test
  void x2apicDestinationsMatchClustersOfSixteen() {
    try (TestCpu other = new TestCpu(CpuModel.DEFAULT, 18, 32)) {
      other.writeMsr(APIC_BASE, 0xFEE0_0C00L);
      assertThat(other.readMsr(0x802)).isEqualTo(18);
      assertThat(other.readMsr(0x80D)).isEqualTo(0x1_0004);
      assertThat(other.cpu.apic.matches(0x1_0006, true)).isTrue();
      assertThat(other.cpu.apic.matches(0x0_0004, true)).isFalse();
      assertThat(other.cpu.apic.matches(18, false)).isTrue();
      assertThat(other.cpu.apic.matches(-1, false)).isTrue();
      assertThat(other.cpu.apic.matches(0xFF, false)).as("another processor").isFalse();
    }
  }

  @Test
  void allOnesAreAllProcessorsInTheWidthOfTheDestination() {
    write(ApicRegisters.ICR_HIGH, 0xFF00_0000L);
    write(ApicRegisters.ICR, 0x4030);
    assertThat(destination()).isEqualTo(-1);
    write(ApicRegisters.ICR, 0x4830);
    assertThat(destination()).as("logical: a set of eight").isEqualTo(0xFF);
    x2apic();
    t.writeMsr(0x830, 0xFF_0000_4030L);
    assertThat(destination()).isEqualTo(0xFF);
    t.writeMsr(0x830, 0xFFFF_FFFF_0000_4030L);
    assertThat(destination()).isEqualTo(-1);
  }

  private int destination() {
    return ((Exit.Ipi) t.cpu.nextExit()).message().destination();
  }

  @Test
  void baseTransitionsThatDoNotExistFault() {
    assertThat(t.cpu.msrs.write(APIC_BASE, 0xFEE0_0500L)).as("EXTD without EN").isFalse();
    x2apic();
    assertThat(t.cpu.msrs.write(APIC_BASE, 0xFEE0_0900L)).as("x2APIC to xAPIC").isFalse();
    t.writeMsr(APIC_BASE, 0xFEE0_0100L);
    assertThat(t.cpu.msrs.write(APIC_BASE, X2APIC)).as("disabled to x2APIC").isFalse();
    t.writeMsr(APIC_BASE, 0xFEE0_0900L);
    assertThat(read(ApicRegisters.SVR)).as("reset by disabling").isEqualTo(0xFF);
    assertThat(t.cpu.msrs.write(APIC_BASE, 0xFEE0_0901L)).as("reserved").isFalse();
    assertThat(t.cpu.msrs.write(APIC_BASE, 1L << 50 | 0xFEE0_0900L)).as("too wide").isFalse();
  }

  @Test
  void x2apicRegistersFaultOutsideTheirModeAndOnReservedBits() {
    assertThat(t.cpu.msrs.read(0x802)).isFalse();
    x2apic();
    for (int msr : new int[] {0x80B, 0x80E, 0x831, 0x83F, 0x809, 0x804, 0x8FF}) {
      assertThat(t.cpu.msrs.read(msr)).as("read %x", msr).isFalse();
    }
    for (int msr : new int[] {0x802, 0x803, 0x80A, 0x80D, 0x80E, 0x810, 0x839, 0x831}) {
      assertThat(t.cpu.msrs.write(msr, 0)).as("write %x", msr).isFalse();
    }
    assertThat(t.cpu.msrs.write(0x80B, 1)).isFalse();
    assertThat(t.cpu.msrs.write(0x828, 1)).isFalse();
    assertThat(t.cpu.msrs.write(0x808, 0x100)).isFalse();
    t.writeMsr(0x80B, 0);
    t.writeMsr(0x808, 0x20);
    assertThat(t.cpu.apic.cr8()).isEqualTo(2);
  }

  @Test
  void theTimerCountsOnceAndStops() {
    write(ApicRegisters.LVT_TIMER, 0x60);
    write(ApicRegisters.DIVIDE, 0x3);
    write(ApicRegisters.INITIAL_COUNT, 100);
    assertThat(apic.nextDeadline()).isEqualTo(1600);
    t.now = 161;
    assertThat(read(ApicRegisters.CURRENT_COUNT)).isEqualTo(90);
    t.now = 1599;
    apic.advance(t.now);
    assertThat(apic.hasRequests()).isFalse();
    t.now = 1600;
    apic.advance(t.now);
    assertThat(apic.acknowledge()).isEqualTo(0x60);
    assertThat(read(ApicRegisters.CURRENT_COUNT)).isZero();
    assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void thePeriodicTimerKeepsItsPhaseWhenLate() {
    write(ApicRegisters.LVT_TIMER, 0x2_0060);
    write(ApicRegisters.DIVIDE, 0xB);
    write(ApicRegisters.INITIAL_COUNT, 1000);
    t.now = 3300;
    apic.advance(t.now);
    assertThat(apic.acknowledge()).isEqualTo(0x60);
    assertThat(apic.nextDeadline()).isEqualTo(4000);
    assertThat(read(ApicRegisters.CURRENT_COUNT)).isEqualTo(700);
  }

  @Test
  void aMaskedTimerRunsButDoesNotInterrupt() {
    write(ApicRegisters.LVT_TIMER, 0x1_0060);
    write(ApicRegisters.DIVIDE, 0xB);
    write(ApicRegisters.INITIAL_COUNT, 1000);
    assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    t.now = 400;
    assertThat(read(ApicRegisters.CURRENT_COUNT)).isEqualTo(600);
    t.now = 2000;
    apic.advance(t.now);
    assertThat(apic.hasRequests()).isFalse();
  }

  @Test
  void theTscDeadlineFollowsTheTsc() {
    write(ApicRegisters.LVT_TIMER, 0x4_0060);
    t.writeMsr(0x6E0, 5000);
    assertThat(t.readMsr(0x6E0)).isEqualTo(5000);
    assertThat(apic.nextDeadline()).isEqualTo(5000);
    t.writeMsr(0x3B, 1000);
    assertThat(apic.nextDeadline()).isEqualTo(4000);
    t.now = 4000;
    apic.advance(t.now);
    assertThat(apic.acknowledge()).isEqualTo(0x60);
    assertThat(t.readMsr(0x6E0)).as("disarmed").isZero();
    t.writeMsr(0x6E0, 1);
    assertThat(apic.nextDeadline()).as("past: at once").isEqualTo(t.now);
    t.writeMsr(0x6E0, 0);
    assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    t.writeMsr(0x6E0, -1);
    assertThat(apic.nextDeadline()).as("unsigned, far away").isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void initialCountIsIgnoredInDeadlineModeAndTheDeadlineInTheOthers() {
    write(ApicRegisters.LVT_TIMER, 0x4_0060);
    write(ApicRegisters.INITIAL_COUNT, 100);
    assertThat(read(ApicRegisters.INITIAL_COUNT)).isZero();
    t.writeMsr(0x6E0, 700);
    write(ApicRegisters.LVT_TIMER, 0x60);
    assertThat(t.readMsr(0x6E0)).isZero();
    t.writeMsr(0x6E0, 700);
    assertThat(t.readMsr(0x6E0)).isZero();
  }

  @Test
  void partialAndUnalignedAccessesAreHarmless() {
    assertThat(apic.read(ApicRegisters.VERSION, 1)).isEqualTo(0x14);
    assertThat(apic.read(ApicRegisters.VERSION + 2, 2)).isEqualTo(0x105);
    assertThat(apic.read(ApicRegisters.VERSION + 4, 4)).isZero();
    assertThat(apic.read(ApicRegisters.VERSION, 8)).isZero();
    apic.write(ApicRegisters.TPR, 1, 0x55);
    apic.write(ApicRegisters.TPR + 4, 4, 0x55);
    assertThat(read(ApicRegisters.TPR)).isZero();
  }
}
