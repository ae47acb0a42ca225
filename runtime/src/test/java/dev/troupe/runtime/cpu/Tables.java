package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A vCPU without paging and hand-made descriptor tables, for tests of segmentation and events. */
final class Tables implements AutoCloseable {
  static final long GDT = 0x1000;
  static final long IDT = 0x2000;
  static final long TSS = 0x3000;
  static final long SECOND_TSS = 0x3100;
  static final long LDT = 0x3800;

  static final int CODE = 0x08;
  static final int DATA = 0x10;
  static final int USER_CODE = 0x1B;
  static final int USER_DATA = 0x23;
  static final int TASK = 0x28;
  static final int CONFORMING = 0x38;
  static final int DOWN = 0x40;
  static final int ABSENT = 0x48;
  static final int EXECUTE_ONLY = 0x50;
  static final int READ_ONLY = 0x58;
  static final int LOCAL = 0x60;
  static final int GATE = 0x70;
  static final int TASK_GATE = 0x80;
  static final int SECOND_TASK = 0x88;
  static final int CODE_64 = 0x90;
  static final int USER_CODE_64 = 0x9B;
  static final int CODE_16 = 0xA0;

  final GuestMemory memory = GuestMemory.allocate(1 << 20);
  final Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);

  Tables() {
    descriptor(CODE, 0, 0xFFFFF, 0xC09B);
    descriptor(DATA, 0, 0xFFFFF, 0xC093);
    descriptor(USER_CODE, 0, 0xFFFFF, 0xC0FB);
    descriptor(USER_DATA, 0, 0xFFFFF, 0xC0F3);
    descriptor(TASK, TSS, 0x67, 0x8B);
    descriptor(CONFORMING, 0, 0xFFFFF, 0xC09E);
    descriptor(DOWN, 0, 0xFFF, 0x4096);
    descriptor(ABSENT, 0, 0xFFFFF, 0xC013);
    descriptor(EXECUTE_ONLY, 0, 0xFFFFF, 0xC099);
    descriptor(READ_ONLY, 0, 0xFFFFF, 0xC091);
    descriptor(LOCAL, LDT, 0xF, 0x82);
    descriptor(SECOND_TASK, SECOND_TSS, 0x67, 0x89);
    descriptor(CODE_64, 0, 0, 0xA09B);
    descriptor(USER_CODE_64, 0, 0, 0xA0FB);
    descriptor(CODE_16, 0x4000, 0xFFFF, 0x009B);
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0xFF;
    cpu.idtBase = IDT;
    cpu.idtLimit = 0x7FF;
    cpu.cr0 |= ControlRegisters.PE;
    cpu.updateMode();
    set(Cpu.CS, CODE);
    set(Cpu.SS, DATA);
    set(Cpu.DS, DATA);
    set(Cpu.ES, DATA);
    set(Cpu.FS, 0);
    set(Cpu.GS, 0);
    cpu.segmentation.set(Cpu.TR, TASK, get(GDT + TASK, 8));
    put(TSS + 4, 4, 0x8000); // ESP0
    put(TSS + 8, 4, DATA);
    cpu.gpr[Cpu.RSP] = 0x9000;
    cpu.rip = 0x5000;
    cpu.updateMode();
  }

  /** To CPL 3, flat. */
  void user() {
    set(Cpu.CS, USER_CODE);
    set(Cpu.SS, USER_DATA);
    set(Cpu.DS, USER_DATA);
    set(Cpu.ES, USER_DATA);
    cpu.cpl = 3;
    cpu.updateMode();
  }

  private void set(int segment, int selector) {
    if (selector == 0) {
      cpu.segmentation.setNull(segment, 0);
    } else {
      cpu.segmentation.set(segment, selector, get(GDT + (selector & ~7), 8));
    }
  }

  void descriptor(int selector, long base, long limit, int attributes) {
    long d = (limit & 0xFFFF) | (limit & 0xF0000) << 32;
    d |= (base & 0xFF_FFFF) << 16 | (base & 0xFF00_0000L) << 32;
    put(GDT + (selector & ~7), 8, d | (long) attributes << 40);
  }

  void gate(long address, int selector, long offset, int attributes, int count) {
    long d = (offset & 0xFFFF) | (offset & 0xFFFF_0000L) << 32;
    put(address, 8, d | (long) selector << 16 | (long) (attributes << 8 | count) << 32);
    put(address + 8, 8, cpu.efer == 0 ? get(address + 8, 8) : offset >>> 32);
  }

  void put(long address, int size, long value) {
    byte[] bytes = new byte[8];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    assertThat(memory.copyIn(address, bytes, 0, size)).isTrue();
  }

  long get(long address, int size) {
    byte[] bytes = new byte[8];
    assertThat(memory.copyOut(address, bytes, 0, size)).isTrue();
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** The 32-bit words at the top of the stack. */
  long[] stack(int count) {
    long[] words = new long[count];
    for (int i = 0; i < count; i++) {
      words[i] = get(cpu.gpr[Cpu.RSP] + 4L * i, 4);
    }
    return words;
  }

  /** The fault of an operation as {@code vector << 16 | error}. */
  static int fault(Runnable operation) {
    try {
      operation.run();
    } catch (Fault fault) {
      return fault.vector << 16 | (fault.error & 0xFFFF);
    }
    throw new AssertionError("no fault");
  }

  static int code(int vector, int error) {
    return vector << 16 | error;
  }

  /** To 64-bit mode with the first 2 MiB mapped to themselves, for all. */
  void longMode() {
    put(0x10000, 8, 0x11007);
    put(0x11000, 8, 0x12007);
    put(0x12000, 8, 0x87);
    cpu.cr3 = 0x10000;
    cpu.cr4 |= ControlRegisters.PAE;
    cpu.cr0 |= ControlRegisters.PG;
    cpu.efer = Msrs.EFER_LME | Msrs.EFER_LMA;
    cpu.idtLimit = 0xFFF;
    set(Cpu.CS, CODE_64);
    put(TSS + 4, 8, 0x8000);
    put(TSS + 0x24, 8, 0x7008); // IST1, not aligned
    cpu.mmu.flushAll();
    cpu.updateMode();
  }

  @Override
  public void close() {
    memory.close();
  }
}
