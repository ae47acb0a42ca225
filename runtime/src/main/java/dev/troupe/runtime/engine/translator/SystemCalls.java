package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.interpreter.op.FastSystemCall;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.Raw;

/**
 * SYSCALL and SYSRET of 64-bit code, and RDTSC (SDM vol. 2B). Emitted code changes flags and
 * registers, and goes on in code of the other privilege level; CS, SS and CPL follow when it is
 * left, since nothing in emitted code reads them: {@link #settle}.
 */
final class SystemCalls {
  // What State.PRIVILEGE says of the last one.
  private static final int UNCHANGED = 0;
  private static final int KERNEL = 1;
  private static final int USER = 2;

  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  /** Flags that emitted code can change, by system calls or alone. */
  private static final long CHANGED = Rflags.SYSTEM & ~(Rflags.TF | Rflags.RF | Rflags.VM);

  /** SYSRET with one of these set goes to where code is not emitted, or is rare. */
  private static final int RARE =
      (int)
          (FastSystemCall.RETURNED
              & ~(Rflags.ARITHMETIC | Rflags.FIXED | Rflags.IF | Rflags.DF | Rflags.ID));

  private static final int RETURNED_SYSTEM = (int) (FastSystemCall.RETURNED & Rflags.SYSTEM);

  /** Bits of an address in the lower canonical half. */
  private static final int USER_BITS = 47;

  private final CodeArea area;
  private final Emission emission;
  private final IndirectJumps indirect;
  private final Assembler code;

  SystemCalls(CodeArea area, Emission emission, IndirectJumps indirect) {
    this.area = area;
    this.emission = emission;
    this.indirect = indirect;
    code = emission.code;
  }

  /** What emitted code has to know; after the interpreter may have changed any of it. */
  static void toState(Cpu c, long state) {
    Raw.put32(state + State.SYSCALL_ENABLED, (c.efer & Msrs.EFER_SCE) != 0 ? 1 : 0);
    Raw.put64(state + State.SYSCALL_TARGET, c.msrs.lstar);
    long kept = ~c.msrs.fmask | Rflags.FIXED;
    Raw.put32(state + State.KEPT_SYSTEM_FLAGS, (int) kept);
    int image = (int) (kept & 0xFF) << 8 | ((kept & Rflags.OF) != 0 ? 0xFF : 0);
    Raw.put16(state + State.KEPT_FLAGS, (short) image);
    Raw.put32(state + State.PRIVILEGE, UNCHANGED);
    long behind = c.time.behindHost();
    boolean readable =
        behind != TimeSource.NOT_HOST && (c.cr4 & ControlRegisters.TSD) == 0; // at any CPL
    Raw.put32(state + State.CLOCK_READABLE, readable ? 1 : 0);
    Raw.put64(state + State.CLOCK_OFFSET, c.msrs.tscOffset() - behind);
    Raw.put64(state + State.TSC_AUX, c.msrs.tscAux);
  }

  /** Emitted code has been left: the vCPU is at the level, and has the flags, that it had there. */
  static void settle(Cpu c, long state) {
    switch (Raw.get32(state + State.PRIVILEGE)) {
      case KERNEL -> FastSystemCall.toKernel(c, true);
      case USER -> FastSystemCall.toUser(c, true);
      default -> {}
    }
    Raw.put32(state + State.PRIVILEGE, UNCHANGED);
    Rflags.set(c, Raw.get32(state + State.SYSTEM_FLAGS), CHANGED);
  }

  /** Not in code that EFLAGS.AC is set for: at CPL 3 it is not emitted then. */
  void call(Insn i) {
    emission.toMemory();
    emission.clobber();
    stepUnless(State.SYSCALL_ENABLED);
    FlagImage.whole(code);
    code.store(R15, State.register(R11));
    code.constant(Cpu.RCX, i.nextRip);
    code.load(R15, State.KEPT_SYSTEM_FLAGS);
    code.state(false, 0x21, R15, State.SYSTEM_FLAGS); // and [],r15d
    code.state(false, 0x0FB7, R15, State.KEPT_FLAGS); // movzx r15d,word []
    code.emit(0x66);
    code.state(false, 0x21, R15, State.FLAGS); // and [],r15w
    privilege(KERNEL);
    code.load(R11, State.SYSCALL_TARGET);
    indirect.emit(mode() & ~Mode.CPL, State.bank(Tlb.SUPERVISOR));
  }

  void callReturn() {
    emission.toMemory();
    emission.clobber();
    if (emission.lifted()) {
      emission.step();
      return;
    }
    stepUnless(State.SYSCALL_ENABLED);
    code.state(false, 0x83, 7, State.EVENTS); // cmp dword [],0
    code.emit(0);
    emission.stepIf(Assembler.NOT_EQUAL);
    code.load(R15, State.register(R11));
    code.emit(0x41, 0xF7, 0xC7); // test r15d,
    code.emit32(RARE);
    emission.stepIf(Assembler.NOT_EQUAL);
    code.move(R11, Cpu.RCX);
    code.emit(0x49, 0xC1, 0xEB, USER_BITS); // shr r11,
    emission.stepIf(Assembler.NOT_EQUAL);
    FlagImage.store(code);
    code.and(false, R15, RETURNED_SYSTEM);
    code.registers(false, 0x83, 1, R15); // or r15d,
    code.emit((int) Rflags.FIXED);
    code.state(false, 0x89, R15, State.SYSTEM_FLAGS); // mov [],r15d
    privilege(USER);
    code.move(R11, Cpu.RCX);
    indirect.emit(mode() | Mode.CPL, State.bank(Tlb.USER));
  }

  /** RDTSC, or RDTSCP, by the host's monotonic clock. */
  void readClock(boolean withProcessor) {
    emission.clobber();
    stepUnless(State.CLOCK_READABLE);
    emission.call(area.readClock());
    if (withProcessor) {
      code.load(Cpu.RCX, State.TSC_AUX);
    }
  }

  private int mode() {
    return emission.trace().head().mode;
  }

  private void privilege(int level) {
    code.state(false, 0xC7, 0, State.PRIVILEGE); // mov dword [],
    code.emit32(level);
  }

  private void stepUnless(int condition) {
    code.state(false, 0x83, 7, condition); // cmp dword [],0
    code.emit(0);
    emission.stepIf(Assembler.EQUAL);
  }
}
