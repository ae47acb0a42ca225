package dev.troupe.runtime.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import dev.troupe.runtime.cpu.ApicRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Intel SDM vol. 3A, 11.6.2. */
class InterruptRouterTest {
  private static final int ENABLED = 0x1FF;
  private static final int DISABLED = 0xFF;

  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final List<Vcpu> vcpus = new ArrayList<>();
  private final List<Integer> reached = new ArrayList<>();
  private final InterruptRouter router;

  InterruptRouterTest() {
    for (int i = 0; i < 3; i++) {
      vcpus.add(new Vcpu(new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0, i, 3)));
      write(i, ApicRegisters.SVR, ENABLED);
      write(i, ApicRegisters.LDR, 1L << (24 + i));
    }
    router = new InterruptRouter(vcpus, (vcpu, interrupt) -> reached.add(vcpu));
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private void write(int vcpu, int register, long value) {
    vcpus.get(vcpu).cpu.apic.write(register, 4, value);
  }

  private List<Integer> reached(int destination, boolean logical, Delivery delivery) {
    reached.clear();
    router.route(new InterruptMessage(destination, logical, delivery, 0x40, false));
    return reached;
  }

  @Test
  void lowestPriorityIsOneOfThoseThatTakeFixedInterrupts() {
    assertThat(reached(0b110, true, Delivery.LOWEST_PRIORITY)).hasSize(1);
    write(1, ApicRegisters.SVR, DISABLED);
    assertThat(reached(0b110, true, Delivery.LOWEST_PRIORITY)).containsExactly(2);
    write(2, ApicRegisters.SVR, DISABLED);
    assertThat(reached(0b110, true, Delivery.LOWEST_PRIORITY)).isEmpty();
    write(1, ApicRegisters.SVR, ENABLED);
    assertThat(reached(0b110, true, Delivery.LOWEST_PRIORITY)).containsExactly(1);
  }

  @Test
  void aSoftwareDisabledApicStillTakesNmis() {
    write(1, ApicRegisters.SVR, DISABLED);
    assertThat(reached(1, false, Delivery.NMI)).containsExactly(1);
  }

  @Test
  void allOnesFromTheBoardAreAllProcessors() {
    assertThat(reached(0xFF, false, Delivery.FIXED)).containsExactly(0, 1, 2);
  }
}
