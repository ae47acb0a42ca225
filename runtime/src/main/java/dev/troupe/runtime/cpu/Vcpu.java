package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One vCPU: architectural state, local APIC, pending interrupts, and the exit that waits for its
 * completion.
 *
 * <p>The engine's part of the protocol: at the start of a run, and wherever {@link Cpu#attention()}
 * is set before a block, it calls {@link #service()} and returns the exit it gets; without one it
 * runs on, and if attention is still set (a shadow or an instruction in progress holds an event
 * back) only to the end of one instruction. It clears {@link Cpu#shadow} before that instruction,
 * or before a block.
 */
public final class Vcpu implements Stateful {
  private static final int PENDING_NMI = 1;
  private static final int PENDING_INIT = 1 << 1;
  private static final int PENDING_SIPI = 1 << 2;
  private static final int INTR = 1 << 3;
  private static final int IGNNE = 1 << 4;
  private static final int SIPI_VECTOR_SHIFT = 8;
  private static final int SIGNALS = 0xFF << SIPI_VECTOR_SHIFT | 0x1F;

  private static final Exit HALT = new Exit.Halt();
  private static final Exit SHUTDOWN = new Exit.Shutdown();
  private static final Exit ACKNOWLEDGE = new Exit.InterruptAcknowledge();

  /** Marks {@link #acknowledged} and {@link #event} as empty. */
  private static final int NONE = -1;

  /** What {@link #complete} brings. */
  private enum Awaiting {
    NOTHING,
    /** The answer to an access of the instruction in progress. */
    VALUE,
    /** The PIC's vector. */
    VECTOR
  }

  public final Cpu cpu;

  /**
   * Fixed interrupts not yet in the local APIC: bits 0 to 255 edge-triggered, 256 to 511
   * level-triggered.
   */
  private final AtomicLongArray posted = new AtomicLongArray(8);

  /** NMI, INIT, SIPI with its vector, and the levels of INTR and IGNNE#. */
  private final AtomicInteger signals = new AtomicInteger();

  private boolean nmiPending;
  private Awaiting awaiting = Awaiting.NOTHING;
  private int event = NONE;
  private int acknowledged = NONE;

  /** The boot processor, or another processor of its machine. */
  public Vcpu(Cpu cpu) {
    this.cpu = cpu;
  }

  /**
   * Adds an interrupt to the pending set; from any thread, without a lock. The caller wakes the
   * vCPU if it is halted.
   */
  public void post(Interrupt interrupt) {
    switch (interrupt) {
      case Interrupt.Fixed(int vector, boolean level) -> {
        int bit = (vector & 0xFF) | (level ? 256 : 0);
        posted.getAndAccumulate(bit >> 6, 1L << bit, (old, set) -> old | set);
      }
      case Interrupt.Intr(boolean high) -> level(INTR, high);
      case Interrupt.IgnoreNumericError(boolean asserted) -> level(IGNNE, asserted);
      case Interrupt.Nmi() -> signals.getAndUpdate(old -> old | PENDING_NMI);
      // A start-up IPI that came before it was for nobody, or its processor stops again.
      case Interrupt.Init() -> signals.getAndUpdate(old -> (old & ~PENDING_SIPI) | PENDING_INIT);
      // The first starts the processor; it does not wait for one any more when the next comes.
      case Interrupt.Sipi(int vector) ->
          signals.getAndUpdate(
              old ->
                  (old & PENDING_SIPI) != 0
                      ? old
                      : (old & ((1 << SIPI_VECTOR_SHIFT) - 1))
                          | PENDING_SIPI
                          | (vector & 0xFF) << SIPI_VECTOR_SHIFT);
      // No SMM: nothing to enter. The processor ignores SMIs, as with SMM unsupported by its
      // firmware.
      case Interrupt.Smi() -> {
        return;
      }
    }
    cpu.attend();
    // Before the caller looks whether the vCPU has halted; its actor says so, and then looks here.
    VarHandle.fullFence();
  }

  private void level(int pin, boolean active) {
    signals.getAndUpdate(old -> active ? old | pin : old & ~pin);
  }

  /**
   * The engine leaves with this exit in the middle of an instruction: {@link #complete} answers it,
   * and the instruction starts again.
   */
  public Exit asks(Exit exit) {
    awaiting = exit instanceof Exit.NumericError ? Awaiting.NOTHING : Awaiting.VALUE;
    return exit;
  }

  /**
   * Looks at everything that is not the next instruction: queued exits, INIT and start-up, halts,
   * NMIs and interrupts, in their priority (Intel SDM vol. 3A, 6.9).
   *
   * @return the exit to return from the run, or null to go on; then {@link #takeEvent()} is to be
   *     delivered first
   */
  public Exit service() {
    Exit queued = cpu.nextExit();
    if (queued != null) {
      awaiting = Awaiting.NOTHING;
      return queued;
    }
    cpu.takeAttention();
    int signal = signals.get();
    if ((signal & (PENDING_INIT | PENDING_SIPI)) != 0) {
      // Both in one step: what comes later is for the next look.
      signal = signals.getAndUpdate(old -> old & ~(PENDING_INIT | PENDING_SIPI));
    }
    cpu.apic.advance(cpu.time.nanos());
    collect(signal);
    if ((signal & PENDING_INIT) != 0) {
      nmiPending = false;
      acknowledged = NONE;
      PowerOn.init(cpu);
    }
    if ((signal & PENDING_SIPI) != 0 && cpu.activity == Cpu.Activity.WAIT_FOR_SIPI) {
      PowerOn.startUp(cpu, signal >>> SIPI_VECTOR_SHIFT & 0xFF);
    }
    if (cpu.activity == Cpu.Activity.SHUTDOWN) {
      return SHUTDOWN;
    }
    if (cpu.activity == Cpu.Activity.WAIT_FOR_SIPI) {
      return HALT;
    }
    if ((signal & PENDING_NMI) != 0) {
      signals.getAndUpdate(old -> old & ~PENDING_NMI);
      nmiPending = true;
    }
    return deliverable();
  }

  /** Moves what was posted into the local APIC. */
  private void collect(int signal) {
    for (int i = 0; i < 8; i++) {
      long vectors = posted.get(i) == 0 ? 0 : posted.getAndSet(i, 0);
      while (vectors != 0) {
        int bit = Long.numberOfTrailingZeros(vectors);
        vectors &= vectors - 1;
        cpu.apic.accept((i << 6 | bit) & 0xFF, i >= 4);
      }
    }
    cpu.apic.setLint0((signal & INTR) != 0);
    cpu.x87.errorsIgnored = (signal & IGNNE) != 0;
    nmiPending |= cpu.apic.takeNmi();
  }

  /**
   * When this vCPU wakes by itself, virtual nanoseconds: its timer interrupts, or an MWAIT has
   * waited long enough. {@link Long#MAX_VALUE} for never.
   */
  public long nextDeadline() {
    long timer = cpu.apic.nextDeadline();
    return cpu.activity == Cpu.Activity.HALTED ? Math.min(timer, cpu.waitDeadline) : timer;
  }

  private Exit deliverable() {
    if (!cpu.replay.isEmpty()) {
      cpu.attend();
      return null;
    }
    boolean open = (cpu.systemFlags & Rflags.IF) != 0;
    boolean external = acknowledged != NONE || cpu.apic.externalInterrupt();
    boolean maskable = external || cpu.apic.hasInterrupt();
    cpu.eventsWaiting = nmiPending || external || cpu.apic.hasRequests();
    event = NONE;
    if (nmiPending && !cpu.nmiBlocked && cpu.shadow != Cpu.SHADOW_MOV_SS) {
      nmiPending = false;
      event = Fault.NMI;
      cpu.nmiBlocked = true;
      cpu.activity = Cpu.Activity.ACTIVE;
      cpu.interruptsOpened();
      return null;
    }
    if (maskable && open && cpu.shadow == 0) {
      cpu.activity = Cpu.Activity.ACTIVE;
      if (acknowledged != NONE) {
        event = acknowledged;
        acknowledged = NONE;
      } else if (external) {
        awaiting = Awaiting.VECTOR;
        return ACKNOWLEDGE;
      } else {
        event = cpu.apic.acknowledge();
      }
      cpu.eventsWaiting = nmiPending || cpu.apic.externalInterrupt() || cpu.apic.hasRequests();
      // What waits behind this one may pass a trap gate; the next look tells.
      cpu.interruptsOpened();
      return null;
    }
    if (cpu.activity == Cpu.Activity.FROZEN) {
      if (!cpu.x87.errorsIgnored) {
        return HALT;
      }
      cpu.activity = Cpu.Activity.ACTIVE;
    }
    if (cpu.activity == Cpu.Activity.HALTED) {
      if ((maskable && cpu.wakeWhenMasked) || cpu.time.nanos() >= cpu.waitDeadline) {
        cpu.activity = Cpu.Activity.ACTIVE;
        return null;
      }
      return HALT;
    }
    if (cpu.shadow != 0 && cpu.eventsWaiting) {
      cpu.attend();
    }
    return null;
  }

  /** The vector to deliver before the next instruction, or -1; 2 is an NMI. Forgets it. */
  public int takeEvent() {
    int taken = event;
    event = NONE;
    return taken;
  }

  /**
   * Answers the last exit's question: the value read, zero-extended, or the vector acknowledged.
   * Exits without a question take 0.
   */
  public void complete(long value) {
    switch (awaiting) {
      case VALUE -> cpu.replay.append(value);
      case VECTOR -> {
        acknowledged = (int) value & 0xFF;
        cpu.attend();
      }
      case NOTHING -> {}
    }
    awaiting = Awaiting.NOTHING;
  }

  /** Power-on state of everything, the pending set included. */
  public void reset() {
    for (int i = 0; i < posted.length(); i++) {
      posted.set(i, 0);
    }
    signals.set(0);
    nmiPending = false;
    awaiting = Awaiting.NOTHING;
    event = NONE;
    acknowledged = NONE;
    cpu.reset();
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    for (int i = 0; i < posted.length(); i++) {
      long word = posted.get(i);
      long now =
          v.scalar("posted", i, StateVisitor.Width.LONG, word, Long.MIN_VALUE, Long.MAX_VALUE);
      if (v.restoring()) {
        posted.set(i, now);
      }
    }
    int signal = v.bits("signals", signals.get(), SIGNALS);
    if (v.restoring()) {
      signals.set(signal);
    }
    nmiPending = v.bool("nmiPending", nmiPending);
    awaiting = v.constant("awaiting", awaiting, Awaiting.class);
    event = v.within("event", event, NONE, 0xFF);
    acknowledged = v.within("acknowledged", acknowledged, NONE, 0xFF);
    v.part("cpu", cpu);
  }

  /** Where the vCPU is, in one line for messages; at a turn's end. */
  public String summary() {
    return "vcpu=%d cs:rip=%04x:%016x rsp=%016x cpl=%d cr0=%x cr2=%x cr3=%x cr4=%x efer=%x"
        .formatted(
            cpu.apicId,
            cpu.selector[Cpu.CS],
            cpu.rip,
            cpu.gpr[Cpu.RSP],
            cpu.cpl,
            cpu.cr0,
            cpu.cr2,
            cpu.cr3,
            cpu.cr4,
            cpu.efer);
  }
}
