package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.host.HostFunctions;

/**
 * A routine of emitted code that has the guest's TSC in edx and eax: the host's CLOCK_MONOTONIC, in
 * nanoseconds, and {@link State#CLOCK_OFFSET}. It calls the C library's clock_gettime, which {@link
 * System#nanoTime} reads too, and may destroy what any C function may: r10, r11, r15 and the flags
 * are lost, all else is kept.
 */
final class HostClock {
  /** clock_gettime's number of it. */
  private static final int CLOCK_MONOTONIC = 1;

  private static final int NANOS = 1_000_000_000;

  /** Room for a struct timespec, which also aligns the stack: a call has pushed 8 bytes. */
  private static final int ROOM = 24;

  /** From rsp to the state. */
  private static final int DISTANCE = ROOM + 8;

  /** Guest registers that are in the host's that a C function may destroy. */
  private static final int[] LOST = {Cpu.RCX, Cpu.RSI, Cpu.RDI, 8, Cpu.RSP};

  private HostClock() {}

  static void emit(Assembler a) {
    a.add(Assembler.RSP, Assembler.RSP, -ROOM);
    for (int n : LOST) {
      a.store(Registers.host(n), DISTANCE + State.register(n));
    }
    CodeArea.saveVectors(a, DISTANCE);
    a.emit(0xBF); // mov edi,
    a.emit32(CLOCK_MONOTONIC);
    a.add(Cpu.RSI, Assembler.RSP, 0);
    a.constant(Assembler.RAX, HostFunctions.clockGettime());
    a.emit(0xFF, 0xD0); // call rax
    for (int n = 0; n < 16; n++) {
      a.state(false, 0x0F10, n, DISTANCE + State.XMM + 16 * n); // movups xmm,[]
    }
    for (int n : LOST) {
      a.load(Registers.host(n), DISTANCE + State.register(n));
    }
    a.state(true, 0x69, Assembler.RAX, 0); // imul rax,[rsp],: tv_sec
    a.emit32(NANOS);
    a.state(true, 0x03, Assembler.RAX, 8); // add: tv_nsec
    a.state(true, 0x03, Assembler.RAX, DISTANCE + State.CLOCK_OFFSET);
    a.move(Cpu.RDX, Assembler.RAX);
    a.emit(0x48, 0xC1, 0xEA, 32); // shr rdx,
    a.registers(false, 0x8B, Assembler.RAX, Assembler.RAX); // mov eax,eax
    a.add(Assembler.RSP, Assembler.RSP, ROOM);
    a.emit(0xC3);
  }
}
