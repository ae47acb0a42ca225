package dev.troupe.runtime.cpu;

import static dev.troupe.runtime.cpu.ApicRegisters.APR;
import static dev.troupe.runtime.cpu.ApicRegisters.CURRENT_COUNT;
import static dev.troupe.runtime.cpu.ApicRegisters.DFR;
import static dev.troupe.runtime.cpu.ApicRegisters.DIVIDE;
import static dev.troupe.runtime.cpu.ApicRegisters.EOI;
import static dev.troupe.runtime.cpu.ApicRegisters.ESR;
import static dev.troupe.runtime.cpu.ApicRegisters.ICR;
import static dev.troupe.runtime.cpu.ApicRegisters.ICR_HIGH;
import static dev.troupe.runtime.cpu.ApicRegisters.ID;
import static dev.troupe.runtime.cpu.ApicRegisters.INITIAL_COUNT;
import static dev.troupe.runtime.cpu.ApicRegisters.IRR;
import static dev.troupe.runtime.cpu.ApicRegisters.ISR;
import static dev.troupe.runtime.cpu.ApicRegisters.LDR;
import static dev.troupe.runtime.cpu.ApicRegisters.LOWEST_VECTOR;
import static dev.troupe.runtime.cpu.ApicRegisters.LVT_COUNT;
import static dev.troupe.runtime.cpu.ApicRegisters.LVT_LINT0;
import static dev.troupe.runtime.cpu.ApicRegisters.LVT_MASKED;
import static dev.troupe.runtime.cpu.ApicRegisters.LVT_TIMER;
import static dev.troupe.runtime.cpu.ApicRegisters.LVT_WRITABLE;
import static dev.troupe.runtime.cpu.ApicRegisters.PPR;
import static dev.troupe.runtime.cpu.ApicRegisters.SVR;
import static dev.troupe.runtime.cpu.ApicRegisters.SVR_WRITABLE;
import static dev.troupe.runtime.cpu.ApicRegisters.TMR;
import static dev.troupe.runtime.cpu.ApicRegisters.TPR;
import static dev.troupe.runtime.cpu.ApicRegisters.VERSION;
import static dev.troupe.runtime.cpu.ApicRegisters.index;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.Arrays;

/**
 * The local APIC (Intel SDM vol. 3A, chapter 11): xAPIC page and x2APIC MSRs over one set of
 * registers. Belongs to the vCPU's thread, except {@link #matches}, which the board calls from any
 * thread.
 */
public final class LocalApic implements Mmu.LocalDevice, Stateful {
  /** All processors, as a physical destination of 8 bits; with 32 bits it is one of them. */
  public static final int ALL_8 = 0xFF;

  /** Where reset puts the register page. */
  public static final long DEFAULT_BASE = 0xFEE0_0000L;

  /** APIC_BASE: the bootstrap processor. */
  static final long BASE_BSP = 1L << 8;

  /** APIC_BASE: x2APIC mode. */
  static final long BASE_EXTD = 1L << 10;

  /** APIC_BASE: the local APIC is enabled. */
  static final long BASE_ENABLE = 1L << 11;

  /** Version 0x14, six LVT entries, EOI broadcast suppression. */
  private static final int VERSION_VALUE = 0x0105_0014;

  private static final Delivery[] DELIVERIES = Delivery.values();

  private final Cpu cpu;
  private final ApicTimer timer;
  private final ApicRoute route = new ApicRoute();
  final InterruptCommand command;

  /** The registers as MSRs. */
  final ApicMsrs msrs = new ApicMsrs(this);

  private final VectorSet requested = new VectorSet();
  private final VectorSet inService = new VectorSet();
  private final VectorSet levelTriggered = new VectorSet();
  private final int[] lvt = new int[LVT_COUNT];
  private long base;
  private int id;
  private int taskPriority;
  private int logicalDestination;
  private int destinationFormat;
  private int spurious;
  private int errorStatus;
  private int errorsSeen;
  private boolean lint0;
  private boolean nmiRequested;

  LocalApic(Cpu cpu) {
    this.cpu = cpu;
    this.timer = new ApicTimer(cpu);
    this.command = new InterruptCommand(cpu, this);
  }

  /** Power-on state. */
  void reset() {
    base = DEFAULT_BASE | BASE_ENABLE | (cpu.bootProcessor ? BASE_BSP : 0);
    id = cpu.apicId;
    mapPage();
    init();
  }

  /** What INIT and re-enabling set: all but the base address and the id. */
  void init() {
    requested.clear();
    inService.clear();
    levelTriggered.clear();
    timer.reset();
    Arrays.fill(lvt, LVT_MASKED);
    if (cpu.bootProcessor) {
      // Virtual wire mode, as firmware leaves it: kernels are started here without one.
      lvt[index(LVT_LINT0)] = Delivery.EXT_INT.ordinal() << 8;
    }
    taskPriority = 0;
    destinationFormat = -1;
    logicalDestination = x2apic() ? ApicRoute.x2apicLogical(cpu.apicId) : 0;
    spurious = 0xFF;
    errorStatus = 0;
    errorsSeen = 0;
    command.reset();
    nmiRequested = false;
    updateRoute();
  }

  /** Puts the register page where APIC_BASE says, or takes it away. */
  private void mapPage() {
    boolean page = (base & (BASE_ENABLE | BASE_EXTD)) == BASE_ENABLE;
    cpu.mmu.mapLocal(page ? base & -4096L : -1, this);
  }

  private void updateRoute() {
    route.set(logicalDestination, destinationFormat, id, enabled(), x2apic(), softwareEnabled());
  }

  /** True unless APIC_BASE disables the local APIC altogether. */
  public boolean enabled() {
    return (base & BASE_ENABLE) != 0;
  }

  /** True in x2APIC mode: registers are MSRs, there is no page. */
  public boolean x2apic() {
    return (base & BASE_EXTD) != 0;
  }

  private boolean softwareEnabled() {
    return (spurious & ApicRegisters.SVR_ENABLE) != 0;
  }

  /** IA32_APIC_BASE. */
  long base() {
    return base;
  }

  /**
   * Writes IA32_APIC_BASE (11.12.5): false, for #GP, on reserved bits and on the transitions that
   * do not exist.
   */
  boolean setBase(long value) {
    boolean wasEnabled = enabled();
    boolean wasX2apic = x2apic();
    boolean enable = (value & BASE_ENABLE) != 0;
    boolean extended = (value & BASE_EXTD) != 0;
    if ((value & reservedInBase()) != 0
        || (extended && !enable)
        || (extended && !wasEnabled)
        || (wasX2apic && enable && !extended)) {
      return false;
    }
    base = value;
    if (wasEnabled && !enable) {
      init();
    }
    if (extended && !wasX2apic) {
      id = cpu.apicId;
      logicalDestination = ApicRoute.x2apicLogical(cpu.apicId);
    }
    mapPage();
    updateRoute();
    cpu.attend();
    return true;
  }

  private long reservedInBase() {
    long reserved = ~(-1L >>> (64 - cpu.model.physicalBits())) | 0x2FF;
    return cpu.model.has(SystemFeature.X2APIC) ? reserved : reserved | BASE_EXTD;
  }

  /**
   * True if a message for this destination is for this APIC (11.6.2); from any thread.
   *
   * @param destination 8-bit, or 32-bit as x2APIC senders give it; 0xFFFFFFFF is all
   */
  public boolean matches(int destination, boolean logical) {
    return route.matches(destination, logical);
  }

  /**
   * True unless software or APIC_BASE disables it, and fixed interrupts are lost; from any thread.
   */
  public boolean acceptsFixed() {
    return route.acceptsFixed();
  }

  /**
   * Takes in a fixed interrupt, for the next look at {@link #hasInterrupt()}. A disabled APIC drops
   * it.
   */
  void accept(int vector, boolean level) {
    if (!enabled() || !softwareEnabled()) {
      return;
    }
    if (vector < LOWEST_VECTOR) {
      raiseError(ApicRegisters.ERROR_RECEIVE_VECTOR);
      return;
    }
    requested.set(vector, true);
    levelTriggered.set(vector, level);
  }

  /** The level of the LINT0 pin, where the PIC's INTR is wired. */
  void setLint0(boolean high) {
    if (high && !lint0 && enabled()) {
      int entry = lvt[index(LVT_LINT0)];
      if (delivery(entry) != Delivery.EXT_INT) {
        deliverLocal(entry);
      }
    }
    lint0 = high;
  }

  /**
   * True if the PIC's INTR line is an external interrupt request: virtual wire mode, or no local
   * APIC.
   */
  boolean externalInterrupt() {
    if (!lint0) {
      return false;
    }
    int entry = lvt[index(LVT_LINT0)];
    return !enabled() || ((entry & LVT_MASKED) == 0 && delivery(entry) == Delivery.EXT_INT);
  }

  private static Delivery delivery(int entry) {
    return DELIVERIES[entry >> 8 & 7];
  }

  private void deliverLocal(int entry) {
    if ((entry & LVT_MASKED) != 0) {
      return;
    }
    switch (delivery(entry)) {
      case FIXED -> accept(entry & 0xFF, false);
      case NMI -> nmiRequested = true;
      // SMIs are ignored; the other modes do nothing in a local vector table.
      default -> {}
    }
  }

  /** An NMI for this processor, from itself. */
  void requestNmi() {
    nmiRequested = true;
    cpu.attend();
  }

  /** Takes an NMI that the APIC itself asked for. */
  boolean takeNmi() {
    boolean requestedNow = nmiRequested;
    nmiRequested = false;
    return requestedNow;
  }

  /** Lets the timer catch up with virtual time. */
  void advance(long now) {
    if (timer.expire(now)) {
      deliverLocal(lvt[index(LVT_TIMER)] & (LVT_MASKED | 0xFF));
    }
  }

  /** When the timer interrupts next, virtual nanoseconds; {@link Long#MAX_VALUE} if it does not. */
  public long nextDeadline() {
    return (lvt[index(LVT_TIMER)] & LVT_MASKED) != 0 ? ApicTimer.NEVER : timer.deadline();
  }

  /** True if any interrupt is requested, whether its priority lets it through or not. */
  boolean hasRequests() {
    return !requested.isEmpty();
  }

  /** True if an interrupt is requested whose priority is above the processor's. */
  public boolean hasInterrupt() {
    int vector = requested.highest();
    return vector >= 0 && vector >> 4 > processorPriority() >> 4;
  }

  /**
   * Moves the highest interrupt into service and returns its vector; the spurious vector if there
   * is none.
   */
  public int acknowledge() {
    if (!hasInterrupt()) {
      return spurious & 0xFF;
    }
    int vector = requested.highest();
    requested.set(vector, false);
    inService.set(vector, true);
    return vector;
  }

  private int processorPriority() {
    int service = inService.highest();
    return service >> 4 > taskPriority >> 4 ? service & 0xF0 : taskPriority;
  }

  /** CR8: the task priority class, 0 to 15. */
  public int cr8() {
    return taskPriority >> 4;
  }

  /** Writes CR8, 0 to 15. */
  public void setCr8(int priorityClass) {
    setTaskPriority(priorityClass << 4);
  }

  private void setTaskPriority(int value) {
    taskPriority = value;
    cpu.interruptsOpened();
  }

  private void endOfInterrupt() {
    int vector = inService.highest();
    if (vector < 0) {
      return;
    }
    inService.set(vector, false);
    if (levelTriggered.has(vector) && (spurious & ApicRegisters.SVR_SUPPRESS_EOI) == 0) {
      cpu.queueExit(new Exit.EndOfInterrupt(vector));
    }
    cpu.interruptsOpened();
  }

  void raiseError(int error) {
    boolean first = (errorsSeen & error) == 0;
    errorsSeen |= error;
    int entry = lvt[index(ApicRegisters.LVT_ERROR)];
    // An error vector below 16 would be an error again, without end.
    if (first && (entry & 0xFF) >= LOWEST_VECTOR) {
      deliverLocal(entry & (LVT_MASKED | 0xFF));
      cpu.attend();
    }
  }

  /** A load from the register page: a part of one 32-bit register; all else reads 0. */
  @Override
  public long read(int offset, int size) {
    int shift = (offset & 3) * 8;
    if ((offset & 0xC) != 0 || shift + size * 8 > 32) {
      return 0;
    }
    int register = offset & 0xFF0;
    if (!ApicRegisters.exists(register)) {
      raiseError(ApicRegisters.ERROR_REGISTER);
      return 0;
    }
    long value = Integer.toUnsignedLong(readRegister(register)) >>> shift;
    return value & (-1L >>> (64 - size * 8));
  }

  /** A store to the register page. Only whole registers can be written; all else is ignored. */
  @Override
  public void write(int offset, int size, long value) {
    if (size != 4 || (offset & 0xF) != 0) {
      return;
    }
    if (!ApicRegisters.exists(offset) || ApicRegisters.readOnly(offset)) {
      raiseError(ApicRegisters.ERROR_REGISTER);
      return;
    }
    writeRegister(offset, (int) value);
  }

  int readRegister(int register) {
    return switch (register) {
      case ID -> x2apic() ? cpu.apicId : id << 24;
      case VERSION -> VERSION_VALUE;
      case TPR -> taskPriority;
      case APR, EOI -> 0;
      case PPR -> processorPriority();
      case LDR -> logicalDestination;
      case DFR -> destinationFormat;
      case SVR -> spurious;
      case ESR -> errorStatus;
      case ICR -> command.low();
      case ICR_HIGH -> command.high();
      case INITIAL_COUNT -> timer.initialCount();
      case CURRENT_COUNT -> timer.currentCount();
      case DIVIDE -> timer.divideRegister();
      default -> {
        if (register < TMR) {
          yield inService.register((register - ISR) >> 4);
        } else if (register < IRR) {
          yield levelTriggered.register((register - TMR) >> 4);
        } else if (register < ESR) {
          yield requested.register((register - IRR) >> 4);
        }
        yield lvt[index(register)];
      }
    };
  }

  void writeRegister(int register, int value) {
    switch (register) {
      case ID -> id = value >>> 24;
      case TPR -> setTaskPriority(value & 0xFF);
      case EOI -> endOfInterrupt();
      case LDR -> logicalDestination = value & 0xFF00_0000;
      case DFR -> destinationFormat = value | 0x0FFF_FFFF;
      case SVR -> setSpurious(value & SVR_WRITABLE);
      case ESR -> {
        errorStatus = errorsSeen;
        errorsSeen = 0;
      }
      case ICR -> command.send(value & ApicRegisters.ICR_WRITABLE);
      case ICR_HIGH -> command.setHigh(value & 0xFF00_0000);
      case INITIAL_COUNT -> timer.setInitialCount(value);
      case DIVIDE -> timer.setDivideRegister(value);
      default -> setLocalVector(index(register), value);
    }
    if (register == ID || register == LDR || register == DFR) {
      updateRoute();
    }
  }

  private void setSpurious(int value) {
    spurious = value;
    if (!softwareEnabled()) {
      for (int i = 0; i < LVT_COUNT; i++) {
        lvt[i] |= LVT_MASKED;
      }
    }
    updateRoute();
  }

  private void setLocalVector(int entry, int value) {
    int written = value & LVT_WRITABLE[entry];
    if (!softwareEnabled()) {
      written |= LVT_MASKED;
    }
    lvt[entry] = written;
    if (entry == 0) {
      timer.setMode(written >> 17 & 3);
    }
    // LINT0 may now pass on what the PIC has been asking for.
    cpu.attend();
  }

  /** IA32_TSC_DEADLINE. */
  long tscDeadline() {
    return timer.tscDeadline();
  }

  void setTscDeadline(long value) {
    timer.setTscDeadline(value);
    cpu.attend();
  }

  /** The TSC has jumped. */
  void tscChanged() {
    timer.tscChanged();
  }

  /** Restoring puts the register page in its place, which drops what the TLB holds. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    base = v.int64("base", base);
    v.require(
        (base & reservedInBase()) == 0 && (!x2apic() || enabled()),
        "base",
        base,
        "reserved bits 0, and x2APIC mode only if enabled");
    id = v.int8("id", id);
    requested.state(v, "requested");
    inService.state(v, "inService");
    levelTriggered.state(v, "levelTriggered");
    v.ints("lvt", lvt, LVT_COUNT, 0, Integer.MAX_VALUE);
    for (int i = 0; i < LVT_COUNT; i++) {
      v.require((lvt[i] & ~LVT_WRITABLE[i]) == 0, "lvt", lvt[i], "reserved bits 0");
    }
    taskPriority = v.int8("taskPriority", taskPriority);
    logicalDestination = v.int32("logicalDestination", logicalDestination);
    destinationFormat = v.int32("destinationFormat", destinationFormat);
    spurious = v.bits("spurious", spurious, SVR_WRITABLE);
    errorStatus = v.int8("errorStatus", errorStatus);
    errorsSeen = v.int8("errorsSeen", errorsSeen);
    command.state(v);
    lint0 = v.bool("lint0", lint0);
    nmiRequested = v.bool("nmiRequested", nmiRequested);
    v.part("timer", timer);
    if (v.restoring()) {
      mapPage();
      updateRoute();
    }
  }
}
