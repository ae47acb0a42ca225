package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import org.junit.jupiter.api.Test;

/** Which event is taken when: Intel SDM vol. 3A, 6.8 and 6.9. */
class VcpuTest {
  private static TestCpu withApic() {
    TestCpu t = new TestCpu();
    t.cpu.apic.write(ApicRegisters.SVR, 4, 0x1FF);
    t.cpu.systemFlags |= Rflags.IF;
    return t;
  }

  private static int event(TestCpu t) {
    assertThat(t.vcpu.service()).isNull();
    return t.vcpu.takeEvent();
  }

  @Test
  void aMaskedInterruptWaitsForIf() {
    try (TestCpu t = withApic()) {
      t.cpu.systemFlags &= ~Rflags.IF;
      t.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(event(t)).isEqualTo(-1);
      assertThat(t.cpu.attention()).isFalse();
      Rflags.set(t.cpu, Rflags.IF, Rflags.IF);
      assertThat(t.cpu.attention()).isTrue();
      assertThat(event(t)).isEqualTo(0x40);
      assertThat(event(t)).isEqualTo(-1);
    }
  }

  @Test
  void stiAndMovSsHoldInterruptsBackForOneInstruction() {
    for (int shadow : new int[] {Cpu.SHADOW_STI, Cpu.SHADOW_MOV_SS}) {
      try (TestCpu t = withApic()) {
        t.vcpu.post(new Interrupt.Fixed(0x40, false));
        t.cpu.shadow = shadow;
        assertThat(event(t)).isEqualTo(-1);
        assertThat(t.cpu.attention()).as("looked at again after the instruction").isTrue();
        t.cpu.shadow = 0;
        assertThat(event(t)).isEqualTo(0x40);
      }
    }
  }

  @Test
  void onlyMovSsHoldsNmisBack() {
    try (TestCpu t = withApic()) {
      t.vcpu.post(new Interrupt.Nmi());
      t.cpu.shadow = Cpu.SHADOW_MOV_SS;
      assertThat(event(t)).isEqualTo(-1);
      t.cpu.shadow = Cpu.SHADOW_STI;
      assertThat(event(t)).isEqualTo(2);
    }
  }

  @Test
  void anNmiBlocksTheNextUntilIret() {
    try (TestCpu t = withApic()) {
      t.vcpu.post(new Interrupt.Nmi());
      assertThat(event(t)).isEqualTo(2);
      t.vcpu.post(new Interrupt.Nmi());
      assertThat(event(t)).isEqualTo(-1);
      t.cpu.nmiBlocked = false;
      t.cpu.interruptsOpened();
      assertThat(t.cpu.attention()).isTrue();
      assertThat(event(t)).isEqualTo(2);
    }
  }

  @Test
  void anNmiComesBeforeInterruptsAndNoneIsLost() {
    try (TestCpu t = withApic()) {
      t.vcpu.post(new Interrupt.Fixed(0xF0, false));
      t.vcpu.post(new Interrupt.Fixed(0x30, false));
      t.vcpu.post(new Interrupt.Nmi());
      assertThat(event(t)).isEqualTo(2);
      assertThat(event(t)).isEqualTo(0xF0);
      assertThat(event(t)).as("priority below the one in service").isEqualTo(-1);
      t.cpu.apic.write(ApicRegisters.EOI, 4, 0);
      assertThat(event(t)).isEqualTo(0x30);
    }
  }

  @Test
  void aHaltedProcessorWakesForAnInterruptThatItTakes() {
    try (TestCpu t = withApic()) {
      t.cpu.halt();
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.cpu.systemFlags &= ~Rflags.IF;
      t.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.cpu.systemFlags |= Rflags.IF;
      assertThat(event(t)).isEqualTo(0x40);
      assertThat(t.cpu.activity).isEqualTo(Cpu.Activity.ACTIVE);
    }
  }

  @Test
  void anMwaitThatAsksForItEndsByAMaskedInterrupt() {
    try (TestCpu t = withApic()) {
      t.cpu.systemFlags &= ~Rflags.IF;
      t.cpu.monitorArmed = true;
      t.cpu.monitorWait(true, Long.MAX_VALUE);
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(event(t)).isEqualTo(-1);
      assertThat(t.cpu.activity).isEqualTo(Cpu.Activity.ACTIVE);
    }
  }

  @Test
  void anMwaitEndsByItselfAndNeverBeginsWithoutAMonitor() {
    try (TestCpu t = withApic()) {
      t.cpu.monitorWait(false, Long.MAX_VALUE);
      assertThat(t.vcpu.service()).isNull();
      t.cpu.monitorArmed = true;
      t.cpu.monitorWait(false, 500);
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      assertThat(t.vcpu.nextDeadline()).isEqualTo(500);
      t.now = 500;
      assertThat(t.vcpu.service()).isNull();
    }
  }

  @Test
  void thePicIsAskedForItsVectorThroughLint0() {
    try (TestCpu t = withApic()) {
      t.vcpu.post(new Interrupt.Intr(true));
      assertThat(t.vcpu.service()).isInstanceOf(Exit.InterruptAcknowledge.class);
      t.vcpu.complete(0x23);
      assertThat(event(t)).isEqualTo(0x23);
      t.vcpu.post(new Interrupt.Intr(false));
      assertThat(event(t)).isEqualTo(-1);
    }
  }

  @Test
  void aMaskedLint0KeepsThePicOut() {
    try (TestCpu t = withApic()) {
      t.cpu.apic.write(ApicRegisters.LVT_LINT0, 4, 0x10700);
      t.vcpu.post(new Interrupt.Intr(true));
      assertThat(event(t)).isEqualTo(-1);
      t.cpu.apic.write(ApicRegisters.LVT_LINT0, 4, 0x700);
      assertThat(t.vcpu.service()).isInstanceOf(Exit.InterruptAcknowledge.class);
    }
  }

  @Test
  void nothingIsDeliveredInsideAnInstructionInProgress() {
    try (TestCpu t = withApic()) {
      t.vcpu.asks(new Exit.PortRead(0x60, 1));
      t.vcpu.complete(7);
      t.vcpu.post(new Interrupt.Fixed(0x40, false));
      assertThat(event(t)).isEqualTo(-1);
      assertThat(t.cpu.attention()).isTrue();
      assertThat(t.cpu.replay.hasNext()).isTrue();
      assertThat(t.cpu.replay.take()).isEqualTo(7);
      t.cpu.replay.clear();
      assertThat(event(t)).isEqualTo(0x40);
    }
  }

  @Test
  void queuedExitsLeaveInOrderBeforeAnythingElse() {
    try (TestCpu t = withApic()) {
      t.vcpu.post(new Interrupt.Fixed(0x40, false));
      t.cpu.queueExit(new Exit.PortWrite(1, 1, 1));
      t.cpu.queueExit(new Exit.PortWrite(2, 1, 2));
      assertThat(t.vcpu.service()).isEqualTo(new Exit.PortWrite(1, 1, 1));
      t.vcpu.complete(0);
      assertThat(t.vcpu.service()).isEqualTo(new Exit.PortWrite(2, 1, 2));
      assertThat(t.cpu.replay.isEmpty()).isTrue();
      assertThat(event(t)).isEqualTo(0x40);
    }
  }

  @Test
  void otherProcessorsWaitForInitAndStartUp() {
    try (TestCpu t = new TestCpu(CpuModel.DEFAULT, 1, 2)) {
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.vcpu.post(new Interrupt.Nmi());
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.vcpu.post(new Interrupt.Init());
      t.vcpu.post(new Interrupt.Sipi(0x9A));
      assertThat(t.vcpu.service()).isNull();
      assertThat(t.cpu.segmentBase[Cpu.CS]).isEqualTo(0x9A000);
      assertThat(t.cpu.selector[Cpu.CS]).isEqualTo(0x9A00);
      assertThat(t.cpu.rip).isZero();
      t.vcpu.post(new Interrupt.Sipi(0x10));
      assertThat(t.vcpu.service()).isNull();
      assertThat(t.cpu.selector[Cpu.CS]).as("a second start-up IPI is ignored").isEqualTo(0x9A00);
    }
  }

  @Test
  void theFirstStartUpIpiAfterAnInitCounts() {
    try (TestCpu t = new TestCpu(CpuModel.DEFAULT, 1, 2)) {
      t.vcpu.post(new Interrupt.Init());
      t.vcpu.post(new Interrupt.Sipi(0x9A));
      t.vcpu.post(new Interrupt.Sipi(0x10));
      assertThat(t.vcpu.service()).isNull();
      assertThat(t.cpu.selector[Cpu.CS]).isEqualTo(0x9A00);
    }
  }

  @Test
  void aStartUpIpiBeforeAnInitStartsNobodyAfterIt() {
    try (TestCpu t = new TestCpu(CpuModel.DEFAULT, 1, 2)) {
      t.vcpu.post(new Interrupt.Sipi(0x9A));
      t.vcpu.post(new Interrupt.Init());
      assertThat(t.vcpu.service()).isInstanceOf(Exit.Halt.class);
      t.vcpu.post(new Interrupt.Sipi(0x10));
      assertThat(t.vcpu.service()).isNull();
      assertThat(t.cpu.selector[Cpu.CS]).isEqualTo(0x1000);
    }
  }

  @Test
  void smisAreIgnored() {
    try (TestCpu t = withApic()) {
      t.vcpu.service();
      t.vcpu.post(new Interrupt.Smi());
      assertThat(event(t)).isEqualTo(-1);
    }
  }

  @Test
  void postsFromOtherThreadsAreAllTaken() throws InterruptedException {
    try (TestCpu t = withApic()) {
      Thread[] posters = new Thread[4];
      for (int p = 0; p < posters.length; p++) {
        int first = 0x20 + p * 0x30;
        posters[p] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int v = first; v < first + 0x30; v++) {
                        t.vcpu.post(new Interrupt.Fixed(v, false));
                      }
                    });
      }
      for (Thread poster : posters) {
        poster.join();
      }
      for (int v = 0x20 + 4 * 0x30 - 1; v >= 0x20; v--) {
        assertThat(event(t)).isEqualTo(v);
        t.cpu.apic.write(ApicRegisters.EOI, 4, 0);
      }
    }
  }
}
