package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** INT n and IRET in virtual-8086 mode with CR4.VME: Intel SDM vol. 3B, 20.3.3 and table 20-2. */
class Virtual8086Test {
  private static final int VECTOR = 0x21;
  private static final int CODE = 0x700;
  private static final int NEXT = 0x1236;
  private static final int STACK = 0x8000;
  private static final int STACK_BASE = 0x1000;
  private static final int TSS = 0x20000;
  private static final int PORT_MAP = 0x88;
  private static final long IOPL_3 = 3L << 12;

  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);

  @AfterEach
  void close() {
    memory.close();
  }

  private void words(int address, int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      bytes.putShort((short) word);
    }
    memory.copyIn(address, bytes.array());
  }

  private int word(int address) {
    byte[] bytes = new byte[2];
    memory.copyOut(address, bytes);
    return (bytes[0] & 0xFF) | (bytes[1] & 0xFF) << 8;
  }

  private void enter(long flags, boolean extensions, boolean redirected) {
    cpu.cr0 = ControlRegisters.PE | ControlRegisters.ET;
    cpu.cr4 = extensions ? ControlRegisters.VME : 0;
    for (int segment = Cpu.ES; segment <= Cpu.GS; segment++) {
      cpu.setSegment(segment, STACK_BASE >> 4, STACK_BASE, 0xFFFF, 0xF3);
    }
    cpu.setSegment(Cpu.CS, CODE, CODE << 4, 0xFFFF, 0xF3);
    cpu.setSegment(Cpu.TR, 0x18, TSS, 0x1FF, 0x8B);
    words(TSS + 0x66, PORT_MAP);
    memory.copyIn(TSS + PORT_MAP - 32 + VECTOR / 8, new byte[] {(byte) (redirected ? 0xFD : 0x02)});
    words(4 * VECTOR, 0x0100, 0x0900);
    cpu.cpl = 3;
    cpu.systemFlags = Rflags.VM | flags;
    Rflags.setArithmetic(cpu, Rflags.CF);
    cpu.gpr[Cpu.RSP] = STACK;
    cpu.rip = NEXT - 2;
    cpu.updateMode();
  }

  private void redirected(long flagsBefore, long image, long flagsAfter) {
    enter(flagsBefore, true, true);
    assertThat(cpu.virtual8086.interrupt(VECTOR, NEXT)).isTrue();
    assertThat(cpu.rip).isEqualTo(0x0100);
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(0x0900);
    assertThat(cpu.segmentBase[Cpu.CS]).isEqualTo(0x9000);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(STACK - 6);
    assertThat(word(STACK_BASE + STACK - 6)).isEqualTo(NEXT);
    assertThat(word(STACK_BASE + STACK - 4)).isEqualTo(CODE);
    assertThat(word(STACK_BASE + STACK - 2)).isEqualTo((int) image | 3);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.VM | flagsAfter);
    assertThat(cpu.cpl).isEqualTo(3);
  }

  private void faults(Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(Fault.class, f -> assertThat(f.vector).isEqualTo(Fault.GP));
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(STACK);
    assertThat(cpu.selector[Cpu.CS]).isEqualTo(CODE);
  }

  @Test
  void withoutExtensionsOrWithItsBitSetAnInterruptGoesThroughTheIdtOrFaults() {
    for (boolean extensions : new boolean[] {false, true}) {
      enter(IOPL_3 | Rflags.IF, extensions, false);
      assertThat(cpu.virtual8086.interrupt(VECTOR, NEXT)).as("methods 1, 4").isFalse();
      enter(Rflags.IF, extensions, false);
      faults(() -> cpu.virtual8086.interrupt(VECTOR, NEXT)); // methods 2, 3
    }
    enter(IOPL_3, false, true);
    assertThat(cpu.virtual8086.interrupt(VECTOR, NEXT)).as("no extensions, no bitmap").isFalse();
  }

  @Test
  void withIopl3TheProgramsOwnVectorIsTakenAndIfCleared() {
    long before = IOPL_3 | Rflags.IF | Rflags.TF | Rflags.VIF;
    redirected(before, IOPL_3 | Rflags.IF | Rflags.TF, IOPL_3 | Rflags.VIF);
  }

  @Test
  void belowIopl3TheImageHoldsVifAndItIsCleared() {
    redirected(Rflags.IF | Rflags.VIF, IOPL_3 | Rflags.IF, Rflags.IF);
    redirected(Rflags.IF | Rflags.TF, IOPL_3 | Rflags.TF, Rflags.IF);
    redirected(Rflags.VIF | Rflags.VIP, IOPL_3 | Rflags.IF, Rflags.VIP);
  }

  @Test
  void aBitmapOutsideTheTaskStateFaults() {
    enter(IOPL_3, true, true);
    cpu.segmentLimit[Cpu.TR] = PORT_MAP - 32 + VECTOR / 8 - 1;
    faults(() -> cpu.virtual8086.interrupt(VECTOR, NEXT));
    enter(IOPL_3, true, true);
    words(TSS + 0x66, 16);
    faults(() -> cpu.virtual8086.interrupt(VECTOR, NEXT));
    enter(IOPL_3, true, true);
    cpu.segmentAttributes[Cpu.TR] = 0x83;
    faults(() -> cpu.virtual8086.interrupt(VECTOR, NEXT));
  }

  private void returnsWith(long flagsBefore, boolean extensions, long image, int size) {
    enter(flagsBefore, extensions, true);
    if (size == 2) {
      words(STACK_BASE + STACK, 0x0100, 0x0900, (int) image);
    } else {
      words(STACK_BASE + STACK, 0x0100, 0, 0x0900, 0, (int) image, 0);
    }
  }

  @Test
  void withIopl3ReturnsSetIf() {
    for (int size : new int[] {2, 4}) {
      returnsWith(IOPL_3 | Rflags.VIF, true, Rflags.IF, size);
      cpu.far.iret(size, NEXT);
      assertThat(cpu.selector[Cpu.CS]).isEqualTo(0x0900);
      assertThat(cpu.rip).isEqualTo(0x0100);
      assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(STACK + 3 * size);
      assertThat(cpu.systemFlags).isEqualTo(Rflags.VM | IOPL_3 | Rflags.VIF | Rflags.IF);
      assertThat(Rflags.arithmetic(cpu)).isZero();
    }
  }

  @Test
  void belowIopl3ReturnsOfWordsSetVif() {
    returnsWith(Rflags.IF, true, IOPL_3 | Rflags.IF | Rflags.ZF, 2);
    cpu.far.iret(2, NEXT);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.VM | Rflags.IF | Rflags.VIF);
    assertThat(Rflags.arithmetic(cpu)).isEqualTo(Rflags.ZF);
    returnsWith(Rflags.IF | Rflags.VIF | Rflags.VIP, true, 0, 2);
    cpu.far.iret(2, NEXT);
    assertThat(cpu.systemFlags).isEqualTo(Rflags.VM | Rflags.IF | Rflags.VIP);
  }

  @Test
  void belowIopl3OtherReturnsFault() {
    returnsWith(Rflags.IF, false, 0, 2);
    faults(() -> cpu.far.iret(2, NEXT));
    returnsWith(Rflags.IF, true, 0, 4);
    faults(() -> cpu.far.iret(4, NEXT));
    returnsWith(Rflags.VIP, true, Rflags.IF, 2);
    faults(() -> cpu.far.iret(2, NEXT));
    returnsWith(0, true, Rflags.TF, 2);
    faults(() -> cpu.far.iret(2, NEXT));
  }
}
