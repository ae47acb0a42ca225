package dev.troupe.runtime.engine.interpreter;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.TestEngine;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * A vCPU in 64-bit mode at any privilege level, paging off, with descriptor tables, a TSS and a
 * handler for each vector that halts: which vector came, and what it saved, can be asked
 * afterwards.
 */
final class Ring implements AutoCloseable {
  static final long CODE = 0x1000;
  static final long STACK = 0x60000;

  /** Selectors of flat segments. */
  static final int KERNEL_CODE = 0x08;

  static final int KERNEL_DATA = 0x10;
  static final int USER_CODE_32 = 0x1B;
  static final int USER_DATA = 0x23;
  static final int USER_CODE = 0x2B;

  private static final long IDT = 0x2000;
  private static final long GDT = 0x3000;
  private static final long TSS = 0x4000;
  private static final long HANDLERS = 0x8000;
  private static final long KERNEL_STACK = 0x70000;
  private static final int ERROR_CODES =
      1 << Fault.DF
          | 1 << Fault.TS
          | 1 << Fault.NP
          | 1 << Fault.SS
          | 1 << Fault.GP
          | 1 << Fault.PF
          | 1 << Fault.AC;

  final GuestMemory memory = GuestMemory.allocate(1 << 20);
  final Cpu cpu;
  final Vcpu vcpu;
  final Interpreter engine;
  long now;

  Ring(int level) {
    this(CpuModel.DEFAULT, level);
  }

  Ring(CpuModel model, int level) {
    cpu = new Cpu(model, memory, () -> now, () -> -1);
    vcpu = new Vcpu(cpu);
    engine = TestEngine.of(vcpu);
    long[] descriptors = {
      0,
      0x00AF_9B00_0000_FFFFL,
      0x00CF_9300_0000_FFFFL,
      0x00CF_FB00_0000_FFFFL,
      0x00CF_F300_0000_FFFFL,
      0x00AF_FB00_0000_FFFFL
    };
    for (int i = 0; i < descriptors.length; i++) {
      put(GDT + 8L * i, descriptors[i]);
    }
    for (int vector = 0; vector < 256; vector++) {
      long handler = HANDLERS + 16L * vector;
      put(IDT + 16L * vector, (handler & 0xFFFF) | (long) KERNEL_CODE << 16 | 0xEE00L << 32);
      put(IDT + 16L * vector + 8, 0);
      memory.copyIn(handler, new byte[] {(byte) 0xF4});
    }
    put(TSS + 4, KERNEL_STACK);
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0x2F;
    cpu.idtBase = IDT;
    cpu.idtLimit = 0xFFF;
    cpu.setSegment(Cpu.TR, 0x30, TSS, 0x67, 0x8B);
    cpu.efer = Msrs.EFER_LME | Msrs.EFER_LMA | Msrs.EFER_SCE;
    cpu.cr0 = 0x11;
    cpu.cr4 = 0x200;
    boolean user = level == 3;
    cpu.setSegment(Cpu.CS, user ? USER_CODE : KERNEL_CODE, 0, 0xFFFF_FFFFL, 0xAF9B | level << 5);
    cpu.setSegment(Cpu.SS, user ? USER_DATA : KERNEL_DATA, 0, 0xFFFF_FFFFL, 0xCF93 | level << 5);
    cpu.cpl = level;
    cpu.rip = CODE;
    cpu.gpr[Cpu.RSP] = STACK;
    cpu.updateMode();
    cpu.apic.write(0xF0, 4, 0x1FF);
  }

  private void put(long address, long value) {
    memory.copyIn(
        address, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  long get(long address) {
    byte[] bytes = new byte[8];
    memory.copyOut(address, bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** Puts code at {@link #CODE}, in hexadecimal with or without spaces, and continues there. */
  Ring code(String hex) {
    memory.copyIn(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
    cpu.rip = CODE;
    return this;
  }

  /** Runs until the vCPU halts or leaves, at most 1000 units. */
  Exit run() {
    return engine.run(vcpu, 1000);
  }

  /** Runs the code, which is to end in a handler. */
  int vectorOf(String hex) {
    code(hex);
    Exit exit = run();
    if (!(exit instanceof Exit.Halt) || cpu.rip < HANDLERS) {
      throw new AssertionError("no handler: " + exit + " at " + Long.toHexString(cpu.rip));
    }
    return (int) ((cpu.rip - 1 - HANDLERS) >> 4);
  }

  /** Word {@code n} of the handler's frame: 0 the saved RIP, 1 CS, 2 RFLAGS, 3 RSP, 4 SS. */
  long saved(int n) {
    int vector = (int) ((cpu.rip - 1 - HANDLERS) >> 4);
    boolean error = vector < 32 && (ERROR_CODES >>> vector & 1) != 0;
    return get(cpu.gpr[Cpu.RSP] + 8L * (error ? n + 1 : n));
  }

  @Override
  public void close() {
    memory.close();
  }
}
