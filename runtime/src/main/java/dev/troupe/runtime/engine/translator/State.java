package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Tlb;

/**
 * What emitted code of one vCPU works on: a place outside the heap that the host's rsp points to
 * while it runs, with a private stack for signals below it and the jump cache and the TLB above.
 * All offsets are from that place, so that code refers to its vCPU by rsp alone.
 *
 * <p>Guest registers live in the host's registers of the same number, but for these: RSP is in the
 * host's r9; R9, R10, R11 and R15 are in memory, and the host's r10, r11 and r15 are scratch.
 */
final class State {
  /** 32 bits: what may still be retired, less {@link TraceEmitter#MAX_DELAY}. */
  static final int BUDGET = 0;

  /** 16 bits: OF in the low byte, the low byte of RFLAGS in the high one; LAHF's and SETO's. */
  static final int FLAGS = 4;

  static final int FS_BASE = 8;
  static final int GS_BASE = 16;

  /** The linear address that an indirect jump goes to. */
  static final int TARGET = 24;

  /** Why the code was left: see {@link ExitWord}. */
  static final int EXIT = 32;

  /** Where to begin. */
  static final int ENTRY = 40;

  /** The thread's stack pointer. */
  static final int HOST_RSP = 48;

  /** Where the guest's x87 registers are, 32 bits: one of the three below. */
  static final int X87 = 56;

  /** Not here: an x87 instruction is to be stepped. */
  static final int X87_ELSEWHERE = 0;

  /** In {@link #FX}, for emitted code to load them. */
  static final int X87_READY = 1;

  /** In the host's own; between runs in {@link #FX}, to be loaded when code is entered. */
  static final int X87_LOADED = 2;

  static final int HOST_MXCSR = 60;

  /** Slots for operands of the instruction that has set the flags: see {@link Recipe}. */
  static final int FIRST = 192;

  static final int SECOND = 200;

  /** RFLAGS but for the arithmetic flags, 32 bits; the one that is always set is. */
  static final int SYSTEM_FLAGS = 208;

  /** Not 0 if IF, once set, may let an event in. */
  static final int EVENTS = 212;

  static final int KERNEL_GS_BASE = 216;

  /**
   * Outside 64-bit mode, of FS and GS, 32 bits each: not 0 if more than the base counts, so that
   * the interpreter has to check.
   */
  static final int FS_LIMITED = 240;

  static final int GS_LIMITED = 244;

  /** Not 0 if SYSCALL and SYSRET are enabled (EFER.SCE), 32 bits. */
  static final int SYSCALL_ENABLED = 288;

  /** IA32_LSTAR. */
  static final int SYSCALL_TARGET = 296;

  /** Of {@link #SYSTEM_FLAGS} and {@link #FLAGS}, what SYSCALL keeps: 32 and 16 bits. */
  static final int KEPT_SYSTEM_FLAGS = 304;

  static final int KEPT_FLAGS = 308;

  /** What emitted code has done to the privilege level, 32 bits: see {@link SystemCalls}. */
  static final int PRIVILEGE = 312;

  /** Not 0 if RDTSC may read the host's clock, 32 bits. */
  static final int CLOCK_READABLE = 316;

  /** What the TSC is more than the host's monotonic clock. */
  static final int CLOCK_OFFSET = 320;

  /** IA32_TSC_AUX. */
  static final int TSC_AUX = 328;

  /** {@link Cpu#untoldPauses}, 32 bits. */
  static final int PAUSES = 336;

  /** Host address of what a string instruction copies. */
  static final int STRING_SOURCE = 344;

  /** The state's own address, made recognisable, by which {@link FaultHandler} knows it. */
  static final int MARK = 248;

  /** The sixteen general registers: those that live in memory, and all others between runs. */
  private static final int REGISTERS = 64;

  /** The guest's FIP, FDP and FOP, 64 bits each; valid unless {@link #X87_ELSEWHERE}. */
  static final int X87_INSTRUCTION = 256;

  static final int X87_DATA = 264;
  static final int X87_OPCODE = 272;

  /** The thread's x87 control word, while the guest's x87 registers are in the host's. */
  static final int HOST_CONTROL = 280;

  /**
   * An FXSAVE area (SDM vol. 1, 10.5.1), of which MXCSR and the XMM registers are always used, the
   * x87 part as {@link #X87} says.
   */
  static final int FX = 512;

  static final int GUEST_MXCSR = FX + 24;
  static final int XMM = FX + 160;

  /** Slots of {@link LoopPages}. */
  static final int PAGES = 16;

  private static final int FIRST_PAGE = 1024;

  /** 32 bits: how many more of a loop's accesses may be in another page than the last one. */
  static final int PAGE_CHANGES = 228;

  /** What {@link HostFault} is read from. */
  static final int FAULT = 3072;

  /** Where code is left after a fault. */
  static final int FAULT_EXIT = 4088;

  /** Entries of the jump cache: {linear address, addend of its page, mode, host address}. */
  static final int JUMPS = 4096;

  static final int JUMP_ENTRIES = 1 << 14;
  static final int JUMP_SHIFT = 5;
  static final int JUMP_MASK = (JUMP_ENTRIES - 1) << JUMP_SHIFT;
  static final int JUMP_ADDRESS = 0;
  static final int JUMP_ADDEND = 8;
  static final int JUMP_MODE = 16;
  static final int JUMP_CODE = 24;

  /** Not a guest's address, as it is not canonical. */
  static final long NO_ADDRESS = 0x4000_0000_0000_0000L;

  /** Bytes below the place, for what signal handlers need. */
  static final int STACK_BYTES = 256 << 10;

  /** Bytes above it, before the TLB. */
  static final int BYTES = JUMPS + (JUMP_ENTRIES << JUMP_SHIFT);

  /** Registers in memory first: R9, R10, R11, R15 are a short displacement away. */
  private static final int[] PLACES = {
    4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2, 13, 14, 15, 3,
  };

  private State() {}

  /** Bits by which an address is folded, so that functions far apart do not meet in one entry. */
  static final int JUMP_FOLD = 14;

  /** Offset of the entry for an address. */
  static long jump(long address) {
    return JUMPS + ((address ^ address >>> JUMP_FOLD) << JUMP_SHIFT & JUMP_MASK);
  }

  /** Offset of a slot, {page, addend}. */
  static int page(int slot) {
    return FIRST_PAGE + 16 * slot;
  }

  /** Offset of a general register. */
  static int register(int number) {
    return REGISTERS + 8 * PLACES[number];
  }

  /** Offset of a TLB bank's entry 0. */
  static int bank(int bank) {
    return BYTES + bank * Tlb.BANK_BYTES;
  }

  /** Which bank has its entry 0 at that offset. */
  static int bankAt(int offset) {
    return (offset - BYTES) / Tlb.BANK_BYTES;
  }

  /** Offset of a bank's side table. */
  static int side(int bank) {
    return BYTES + Tlb.side(bank);
  }
}
