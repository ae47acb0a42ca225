package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.isa.Row;
import dev.troupe.runtime.memory.Raw;

/**
 * Moves a vCPU's registers between {@link Cpu}, where the interpreter and all others have them, and
 * {@link State}, where emitted code has them: general registers with flags, vector registers, and
 * x87 registers, each for themselves and only when the other side needs them.
 */
final class RegisterTransfer {
  /** Rows that read or write vector registers in {@link Cpu}. */
  private static final int VECTOR_ROWS = Row.SSE | Row.FX | Row.XSAVE | Row.MMXREGS | Row.MMX;

  /** The same for x87 registers, which are the MMX registers. */
  private static final int X87_ROWS =
      Row.FPU | Row.WAIT | Row.FX | Row.XSAVE | Row.MMXREGS | Row.MMX;

  private final Cpu cpu;
  private final long state;

  /** General registers and flags are in {@link State}, not in {@link Cpu}. */
  private boolean registersInState;

  /** So are the vector registers. */
  private boolean vectorsInState;

  /** The x87 registers are in {@link State}; in {@link Cpu} too, unless they have been changed. */
  private boolean x87InState;

  private boolean x87Changed;

  /** Emitted code has asked for x87 registers, or used them when it last had them. */
  private boolean x87Wanted;

  RegisterTransfer(Cpu cpu, long state) {
    this.cpu = cpu;
    this.state = state;
  }

  /**
   * Before emitted code runs.
   *
   * @param x87Used whether it has instructions on x87 registers
   * @param x87Loaded whether it takes the host to have the guest's; only if {@link #x87Fits}
   */
  void toState(boolean x87Used, boolean x87Loaded) {
    registersToState();
    vectorsToState();
    if (!x87InState && (x87Used || x87Wanted) && x87Fits()) {
      X87Image.store(cpu.x87, state);
      x87InState = true;
      x87Changed = false;
    }
    int place = x87Loaded ? State.X87_LOADED : State.X87_READY;
    Raw.put32(state + State.X87, x87InState ? place : State.X87_ELSEWHERE);
  }

  private void registersToState() {
    Cpu c = cpu;
    if (!registersInState) {
      for (int n = 0; n < 16; n++) {
        Raw.put64(state + State.register(n), c.gpr[n]);
      }
      long image = Rflags.arithmetic(c);
      Raw.put16(state + State.FLAGS, (short) ((image & 0xFF) << 8 | (image >> 11 & 1)));
      Raw.put64(state + State.FS_BASE, c.segmentBase[Cpu.FS]);
      Raw.put64(state + State.GS_BASE, c.segmentBase[Cpu.GS]);
      Raw.put64(state + State.KERNEL_GS_BASE, c.msrs.kernelGsBase);
      Raw.put32(state + State.FS_LIMITED, Mode.unlimited(c, Cpu.FS) ? 0 : 1);
      Raw.put32(state + State.GS_LIMITED, Mode.unlimited(c, Cpu.GS) ? 0 : 1);
      Raw.put32(state + State.SYSTEM_FLAGS, (int) (c.systemFlags | Rflags.FIXED));
      Raw.put32(state + State.EVENTS, c.eventsWaiting ? 1 : 0);
      Raw.put32(state + State.PAUSES, c.untoldPauses);
      SystemCalls.toState(c, state);
      registersInState = true;
    }
  }

  private void vectorsToState() {
    Cpu c = cpu;
    if (!vectorsInState) {
      for (int n = 0; n < 32; n++) {
        Raw.put64(state + State.XMM + 8L * n, c.xmm[n]);
      }
      Raw.put32(state + State.GUEST_MXCSR, c.mxcsr);
      vectorsInState = true;
    }
  }

  /** Emitted code has been left. */
  void ran() {
    x87Changed |= Raw.get32(state + State.X87) == State.X87_LOADED;
  }

  /** Emitted code had no x87 registers, and stopped before an instruction on them. */
  void wantX87() {
    x87Wanted = true;
  }

  /** Whether the host can have the guest's x87 registers. */
  boolean x87Fits() {
    return x87InState || X87Image.fits(cpu.x87);
  }

  /** What the interpreter needs for this row; null for any. */
  void toCpu(Row row) {
    registersToCpu();
    if (row == null || row.has(VECTOR_ROWS)) {
      vectorsToCpu();
    }
    if (row == null || row.has(X87_ROWS)) {
      x87ToCpu();
    }
  }

  /** All that there is. */
  void toCpu() {
    toCpu(null);
  }

  private void registersToCpu() {
    Cpu c = cpu;
    if (registersInState) {
      for (int n = 0; n < 16; n++) {
        c.gpr[n] = Raw.get64(state + State.register(n));
      }
      int flags = Raw.get16(state + State.FLAGS);
      Rflags.setArithmetic(c, (flags >>> 8 & 0xFF) | (flags & 1) << 11);
      c.segmentBase[Cpu.GS] = Raw.get64(state + State.GS_BASE);
      c.msrs.kernelGsBase = Raw.get64(state + State.KERNEL_GS_BASE);
      c.untoldPauses = Raw.get32(state + State.PAUSES);
      registersInState = false;
    }
  }

  private void vectorsToCpu() {
    Cpu c = cpu;
    if (vectorsInState) {
      for (int n = 0; n < 32; n++) {
        c.xmm[n] = Raw.get64(state + State.XMM + 8L * n);
      }
      c.mxcsr = Raw.get32(state + State.GUEST_MXCSR);
      vectorsInState = false;
    }
  }

  private void x87ToCpu() {
    if (x87InState) {
      if (x87Changed) {
        X87Image.load(cpu.x87, state);
      }
      x87Wanted = x87Changed;
      x87InState = false;
    }
  }
}
