package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.softfloat.SseMath;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;

/**
 * The architectural state of one x86 vCPU, as plain fields: the interpreter works on them, the
 * translator loads and stores them at turn ends, a snapshot lists them.
 */
public final class Cpu implements Stateful {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  /** The register number that reads as zero: no base, no index. */
  public static final int ZERO = 16;

  public static final int ES = 0;
  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;
  public static final int LDTR = 6;
  public static final int TR = 7;

  /** In {@link #segmentAttributes}: the segment is present, so it is usable. */
  public static final int ATTRIBUTE_P = 1 << 7;

  /** In {@link #segmentAttributes}: 64-bit code. */
  public static final int ATTRIBUTE_L = 1 << 13;

  /** In {@link #segmentAttributes}: 32-bit code or stack. */
  public static final int ATTRIBUTE_DB = 1 << 14;

  /**
   * In {@link #shadow}: the instruction before was an STI that set IF; maskable interrupts wait.
   */
  public static final int SHADOW_STI = 1;

  /**
   * In {@link #shadow}: the instruction before loaded SS; interrupts, NMIs and debug traps wait.
   */
  public static final int SHADOW_MOV_SS = 2;

  /**
   * How long an MWAIT waits at most: short enough for a wake-up by a store, long enough to idle on.
   */
  public static final long WAIT_NANOS = 100_000;

  /** Bytes at {@link #scratch}. */
  public static final int SCRATCH_BYTES = 64;

  /** What the vCPU does between interrupts. */
  public enum Activity {
    ACTIVE,
    /** HLT, or MWAIT: until an interrupt, NMI, INIT or reset. */
    HALTED,
    /**
     * Before an x87 instruction that has an error to report to the board (CR0.NE = 0): until an
     * interrupt, NMI, IGNNE#, INIT or reset.
     */
    FROZEN,
    /** An application processor after INIT: until a start-up IPI. */
    WAIT_FOR_SIPI,
    /** Triple fault: until a reset. */
    SHUTDOWN
  }

  private static final VarHandle ATTENTION;

  static {
    try {
      ATTENTION = MethodHandles.lookup().findVarHandle(Cpu.class, "attention", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** General registers 0 to 15; [16] is always 0. A 32-bit write stores the zero-extended value. */
  public final long[] gpr = new long[17];

  /**
   * Offset in CS of the next instruction (of the current one while it executes, until it retires).
   */
  public long rip;

  // Arithmetic flags, kept as the values they follow from, so that no instruction tests or branches
  // to set them.
  /** ZF = (flagZero == 0). */
  public long flagZero = 1;

  /** SF = (flagSign &lt; 0); PF = even parity of the low byte. */
  public long flagSign = 1;

  /** Carries out of each bit, aligned so that bit 63 is CF and bit 63 xor bit 62 is OF. */
  public long flagCarry;

  /** AF = bit 4. */
  public long flagAux;

  /**
   * All other RFLAGS bits (TF IF DF IOPL NT RF VM AC VIF VIP ID) in place; arithmetic bits 0; bit 1
   * is added on reading.
   */
  public long systemFlags;

  /** Segment registers by number: ES CS SS DS FS GS LDTR TR. */
  public final int[] selector = new int[8];

  public final long[] segmentBase = new long[8];

  /** Limit in bytes, expanded by G, unsigned 32 bits in a long. */
  public final long[] segmentLimit = new long[8];

  /**
   * Attributes: bits 8 to 23 of the descriptor's high dword (type S DPL P AVL L D G), shifted right
   * by 8.
   */
  public final int[] segmentAttributes = new int[8];

  public long gdtBase;
  public int gdtLimit;
  public long idtBase;
  public int idtLimit;

  public long cr0;
  public long cr2;
  public long cr3;
  public long cr4;
  public long efer;
  public long xcr0 = 1;

  /** DR0 to DR3, DR6, DR7 at their numbers. */
  public final long[] dr = new long[8];

  /** Current privilege level, 0 to 3. */
  public int cpl;

  /**
   * XMM registers, low quadword at 2n, high at 2n + 1; number 16 and 17 are scratch for memory
   * operands.
   */
  public final long[] xmm = new long[2 * 18];

  public int mxcsr = 0x1F80;

  /** x87 and MMX state. */
  public final X87 x87 = new X87();

  /** Exact SSE arithmetic; holds no state between instructions. */
  public final SseMath sse = new SseMath();

  /** See {@link Mode}; kept by {@link #updateMode()}. */
  public int mode;

  public Activity activity = Activity.ACTIVE;

  /**
   * After an MWAIT that asked for it: interrupts end the halt even while IF is clear, without being
   * taken.
   */
  public boolean wakeWhenMasked;

  /** A MONITOR waits for its MWAIT. */
  public boolean monitorArmed;

  /** Virtual time when an MWAIT ends by itself; {@link Long#MAX_VALUE} for a HLT. */
  long waitDeadline = Long.MAX_VALUE;

  /**
   * How many PAUSEs more may go by before one is an exit. No part of the state: 0 wherever a run is
   * to be had again.
   */
  public int untoldPauses;

  /**
   * {@link #SHADOW_STI}, {@link #SHADOW_MOV_SS} or 0. The engine clears it before each instruction
   * it runs while {@link #attention()} is set, and before each block otherwise; see {@link
   * Vcpu#service()}.
   */
  public int shadow;

  /** True from the delivery of an NMI to the next IRET. */
  public boolean nmiBlocked;

  /** True for the processor that starts at reset; the others wait for a start-up IPI. */
  public final boolean bootProcessor;

  /** The x2APIC id, 0 to 63; also in CPUID. */
  public final int apicId;

  /** How many vCPUs the machine has, as CPUID's topology tells. */
  public final int count;

  public final CpuModel model;
  public final GuestMemory memory;
  public final TimeSource time;
  public final Entropy entropy;
  public final IoReplay replay = new IoReplay();
  public final Mmu mmu;
  public final Segmentation segmentation = new Segmentation(this);
  public final TaskSwitch tasks;
  public final Exceptions exceptions;
  public final FarTransfer far;
  public final Virtual8086 virtual8086;
  public final DebugRegisters debug;

  /** Where somebody outside wants this vCPU to stop; no part of its state. */
  public final Stops stops = new Stops(this);

  public final ControlRegisters control;
  public final Msrs msrs;
  public final LocalApic apic;
  public final PvClock pvclock;
  public final Cpuid cpuid;

  /**
   * What retired instructions have for the board, oldest first; at most an instruction's own
   * writes.
   */
  private final ArrayDeque<Exit> exits = new ArrayDeque<>();

  /**
   * Units (instructions, REP iterations, events) left in this turn; the engine's, also charged by
   * REP meanings.
   */
  public long budget;

  /**
   * Instructions of the block in progress that come before its last one, and are not charged yet;
   * the interpreter's.
   */
  public int uncharged;

  /** Index in its block of the instruction that threw; the interpreter's. */
  public int undone;

  /** Set by {@link #jump}: the engine does not advance {@link #rip} after the instruction. */
  public boolean jumped;

  /**
   * Host address of {@link #SCRATCH_BYTES} bytes outside the heap, for arguments of machine code.
   */
  public final long scratch;

  /** The engine that runs this vCPU now, for events in the middle of a block. */
  public Execution execution = () -> {};

  private final Fault fault = new Fault();
  private final Leave leave = new Leave();

  /**
   * Set when the engine has to call {@link Vcpu#service()} before the next block; by any thread,
   * through ATTENTION.
   */
  @SuppressWarnings("unused")
  private boolean attention;

  /**
   * Set while an interrupt waits for IF, the shadow, the task priority or IRET: these then ask for
   * attention.
   */
  public boolean eventsWaiting;

  /** A boot processor with APIC id 0, in its power-on state. */
  public Cpu(CpuModel model, GuestMemory memory, TimeSource time, Entropy entropy) {
    this(model, memory, time, entropy, 0, 1);
  }

  /**
   * A vCPU in its power-on state.
   *
   * @param apicId 0 for the boot processor, then 1, 2, and so on
   * @param count how many vCPUs the machine has, 1 to 64
   */
  public Cpu(
      CpuModel model, GuestMemory memory, TimeSource time, Entropy entropy, int apicId, int count) {
    this.count = count;
    this.model = model;
    this.memory = memory;
    this.time = time;
    this.entropy = entropy;
    this.apicId = apicId;
    this.bootProcessor = apicId == 0;
    this.scratch = memory.mapBeside(SCRATCH_BYTES);
    this.mmu = new Mmu(this, memory);
    StackFrame stack = new StackFrame(this);
    this.tasks = new TaskSwitch(this, stack);
    this.exceptions = new Exceptions(this, stack);
    this.far = new FarTransfer(this, stack);
    this.virtual8086 = new Virtual8086(this, stack);
    mmu.setCapabilities(model.physicalBits(), model.has(SystemFeature.PAGES_1G));
    this.debug = new DebugRegisters(this);
    this.control = new ControlRegisters(this);
    this.msrs = new Msrs(this);
    this.apic = new LocalApic(this);
    this.pvclock = new PvClock(this);
    this.cpuid = new Cpuid(this);
    reset();
  }

  /** Power-on or RESET# state (Intel SDM vol. 3A, table 10-1). */
  public void reset() {
    PowerOn.reset(this);
  }

  /**
   * Loads a segment register with all its parts, unchecked; {@link #updateMode()} is the caller's.
   */
  public void setSegment(int segment, int value, long base, long limit, int attributes) {
    selector[segment] = value;
    segmentBase[segment] = base;
    segmentLimit[segment] = limit;
    segmentAttributes[segment] = attributes;
  }

  /** Computes {@link #mode} anew, after a change of anything that it holds. */
  public void updateMode() {
    mode = Mode.of(this);
    mmu.modeChanged();
  }

  /** True if {@link Vcpu#service()} has something to look at. One plain load. */
  public boolean attention() {
    return (boolean) ATTENTION.getOpaque(this);
  }

  /** Asks the engine to call {@link Vcpu#service()} before the next block; from any thread. */
  public void attend() {
    ATTENTION.setRelease(this, true);
  }

  /** Takes the request; what was posted before it is seen after. True if there was one. */
  boolean takeAttention() {
    return (boolean) ATTENTION.getAndSet(this, false);
  }

  /** IF, the task priority or the NMI block now let in what may have been waiting. */
  public void interruptsOpened() {
    if (eventsWaiting) {
      attend();
    }
  }

  /** HLT: nothing more until an interrupt. */
  public void halt() {
    activity = Activity.HALTED;
    wakeWhenMasked = false;
    waitDeadline = Long.MAX_VALUE;
    attend();
  }

  /** Nothing more until the board has seen to a numeric error. */
  void freeze() {
    activity = Activity.FROZEN;
    attend();
  }

  /**
   * MWAIT: waits for a store to the monitored line. Stores of others are not seen here, and a wait
   * may end for any reason, so it ends by itself after {@link #WAIT_NANOS}. Without a monitor armed
   * it does not begin.
   *
   * @param masked interrupts end the wait though IF is clear
   * @param limit nanoseconds, at most
   */
  public void monitorWait(boolean masked, long limit) {
    if (!monitorArmed) {
      return;
    }
    monitorArmed = false;
    activity = Activity.HALTED;
    wakeWhenMasked = masked;
    waitDeadline = time.nanos() + Math.min(limit, WAIT_NANOS);
    attend();
  }

  /** Leaves this for the board when the current instruction has retired. */
  public void queueExit(Exit exit) {
    exits.add(exit);
    attend();
    execution.stop();
  }

  /**
   * Units of the slice that are left before the current instruction, if that is the last of its
   * block, and between instructions.
   */
  public long unitsLeft() {
    return budget - uncharged;
  }

  /**
   * The current instruction is about to read the time, or do what depends on it. Where that must be
   * exact the instruction is undone, and starts again as the only one of its block.
   */
  void needTime() {
    if (uncharged != 0 && time.exact()) {
      throw leave(null);
    }
  }

  /** Whether what has retired still has something for the board: no quiet point. */
  public boolean exitsWaiting() {
    return !exits.isEmpty();
  }

  /** Takes the oldest queued exit, or null. */
  Exit nextExit() {
    return exits.poll();
  }

  @Override
  public void state(StateVisitor v) {
    if (!exits.isEmpty() && !v.restoring()) {
      throw new IllegalStateException(
          "not at a quiet point: vcpu=%d queued exits=%d first=%s"
              .formatted(apicId, exits.size(), exits.peek()));
    }
    CpuState.visit(this, v);
  }

  /** Forgets what an instruction queued that did not retire. */
  public void dropExits() {
    exits.clear();
  }

  /** Linear address of the next instruction. */
  public long linearRip() {
    return (mode & Mode.CODE_64) != 0 ? rip : (rip + segmentBase[CS]) & 0xFFFF_FFFFL;
  }

  /** The time-stamp counter, 1 GHz. */
  public long tsc() {
    return msrs.tsc();
  }

  /**
   * Continues at an offset in CS instead of the next instruction; for meanings that end a block.
   */
  public void jump(long target) {
    rip = target;
    jumped = true;
  }

  /** Offset in CS of the instruction after {@code i}: a return address, or what a trap saves. */
  public long nextRip(Insn i) {
    return i.nextRip;
  }

  /** {@code throw cpu.fault(Fault.UD)}: an exception without an error code. */
  public Fault fault(int vector) {
    return fault(vector, Fault.NO_ERROR_CODE);
  }

  /** {@code throw cpu.fault(Fault.GP, selector)}: an exception with an error code. */
  public Fault fault(int vector, int error) {
    fault.vector = vector;
    fault.error = error;
    fault.nonCanonical = false;
    return fault;
  }

  /** {@code throw cpu.nonCanonical(linear)}: of a data access. */
  Fault nonCanonical(long linear) {
    Fault f = fault(Fault.GP, 0);
    f.address = linear;
    f.nonCanonical = true;
    return f;
  }

  /** {@code throw cpu.pageFault(linear, error)}. */
  public Fault pageFault(long linear, int error) {
    fault.address = linear;
    return fault(Fault.PF, error);
  }

  /**
   * {@code throw cpu.leave(exit)}: the instruction is undone, the exit goes out, the instruction
   * starts again. Without an exit it starts again alone.
   */
  public Leave leave(Exit exit) {
    leave.exit = exit;
    return leave;
  }
}
