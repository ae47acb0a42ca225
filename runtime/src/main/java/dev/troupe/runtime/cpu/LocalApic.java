package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.message.InterruptMessage.Delivery;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
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

  public static final int ID = 0x20;
  public static final int VERSION = 0x30;
  public static final int TPR = 0x80;
  public static final int APR = 0x90;
  public static final int PPR = 0xA0;
  public static final int EOI = 0xB0;
  public static final int LDR = 0xD0;
  public static final int DFR = 0xE0;
  public static final int SVR = 0xF0;
  public static final int ISR = 0x100;
  public static final int TMR = 0x180;
  public static final int IRR = 0x200;
  public static final int ESR = 0x280;
  public static final int ICR = 0x300;
  public static final int ICR_HIGH = 0x310;
  public static final int LVT_TIMER = 0x320;
  public static final int LVT_THERMAL = 0x330;
  public static final int LVT_PERFORMANCE = 0x340;
  public static final int LVT_LINT0 = 0x350;
  public static final int LVT_LINT1 = 0x360;
  public static final int LVT_ERROR = 0x370;
  public static final int INITIAL_COUNT = 0x380;
  public static final int CURRENT_COUNT = 0x390;
  public static final int DIVIDE = 0x3E0;
  public static final int SELF_IPI = 0x3F0;

  /** APIC_BASE: the bootstrap processor. */
  static final long BASE_BSP = 1L << 8;

  /** APIC_BASE: x2APIC mode. */
  static final long BASE_EXTD = 1L << 10;

  /** APIC_BASE: the local APIC is enabled. */
  static final long BASE_ENABLE = 1L << 11;

  /** Version 0x14, six LVT entries, EOI broadcast suppression. */
  private static final int VERSION_VALUE = 0x0105_0014;

  private static final int SVR_ENABLE = 1 << 8;
  private static final int SVR_SUPPRESS_EOI = 1 << 12;
  private static final int SVR_WRITABLE = 0x13FF;
  private static final int LVT_MASKED = 1 << 16;
  private static final int LVT_COUNT = 6;
  private static final int LOWEST_VECTOR = 16;

  private static final int ERROR_SEND_VECTOR = 1 << 5;
  private static final int ERROR_RECEIVE_VECTOR = 1 << 6;
  private static final int ERROR_REGISTER = 1 << 7;

  private static final int ICR_LEVEL_ASSERT = 1 << 14;
  private static final int ICR_TRIGGER_LEVEL = 1 << 15;
  private static final int ICR_LOGICAL = 1 << 11;
  private static final int ICR_WRITABLE = 0xC_CFFF;

  /** Writable bits of the LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
  private static final int[] LVT_WRITABLE = {
    0x7_00FF, 0x1_07FF, 0x1_07FF, 0x1_A7FF, 0x1_A7FF, 0x1_00FF
  };

  private static final Delivery[] DELIVERIES = Delivery.values();
  private static final Exit.Ipi.Shorthand[] SHORTHANDS = Exit.Ipi.Shorthand.values();

  private static final VarHandle ROUTE;

  static {
    try {
      ROUTE = MethodHandles.lookup().findVarHandle(LocalApic.class, "route", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Cpu cpu;
  private final ApicTimer timer;
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
  private int commandLow;
  private int commandHigh;
  private boolean lint0;
  private boolean nmiRequested;

  /**
   * What {@link #matches} needs, in one word: the logical destination below, the id above (8 bits),
   * bit 40 enabled, bit 41 x2APIC, bit 42 flat, bit 43 software-enabled.
   */
  @SuppressWarnings("unused")
  private long route;

  LocalApic(Cpu cpu) {
    this.cpu = cpu;
    this.timer = new ApicTimer(cpu);
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
    logicalDestination = x2apic() ? x2apicLogical() : 0;
    spurious = 0xFF;
    errorStatus = 0;
    errorsSeen = 0;
    commandLow = 0;
    commandHigh = 0;
    nmiRequested = false;
    updateRoute();
  }

  private static int index(int lvtRegister) {
    return (lvtRegister - LVT_TIMER) >> 4;
  }

  private int x2apicLogical() {
    return (cpu.apicId >> 4) << 16 | 1 << (cpu.apicId & 15);
  }

  /** Puts the register page where APIC_BASE says, or takes it away. */
  private void mapPage() {
    boolean page = (base & (BASE_ENABLE | BASE_EXTD)) == BASE_ENABLE;
    cpu.mmu.mapLocal(page ? base & -4096L : -1, this);
  }

  private void updateRoute() {
    long word = Integer.toUnsignedLong(logicalDestination) | (long) (id & 0xFF) << 32;
    word |= enabled() ? 1L << 40 : 0;
    word |= x2apic() ? 1L << 41 : 0;
    word |= destinationFormat >>> 28 == 0xF ? 1L << 42 : 0;
    word |= softwareEnabled() ? 1L << 43 : 0;
    ROUTE.setRelease(this, word);
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
    return (spurious & SVR_ENABLE) != 0;
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
      logicalDestination = x2apicLogical();
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
    long word = (long) ROUTE.getAcquire(this);
    if ((word & 1L << 40) == 0) {
      return false;
    }
    boolean extended = (word & 1L << 41) != 0;
    if (destination == -1) {
      return true;
    }
    if (!logical) {
      return destination == ((int) (word >>> 32) & 0xFF);
    }
    int ldr = (int) word;
    if (extended) {
      return destination >>> 16 == ldr >>> 16 && (destination & ldr & 0xFFFF) != 0;
    }
    int mine = ldr >>> 24;
    if ((word & 1L << 42) != 0) {
      return (destination & mine & 0xFF) != 0;
    }
    boolean cluster = (destination & 0xF0) == (mine & 0xF0) || (destination & 0xF0) == 0xF0;
    return cluster && (destination & mine & 0x0F) != 0;
  }

  /**
   * True unless software or APIC_BASE disables it, and fixed interrupts are lost; from any thread.
   */
  public boolean acceptsFixed() {
    long enabled = 1L << 40 | 1L << 43;
    return ((long) ROUTE.getAcquire(this) & enabled) == enabled;
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
      raiseError(ERROR_RECEIVE_VECTOR);
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
    if (levelTriggered.has(vector) && (spurious & SVR_SUPPRESS_EOI) == 0) {
      cpu.queueExit(new Exit.EndOfInterrupt(vector));
    }
    cpu.interruptsOpened();
  }

  private void raiseError(int error) {
    boolean first = (errorsSeen & error) == 0;
    errorsSeen |= error;
    int entry = lvt[index(LVT_ERROR)];
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
    if (!exists(register)) {
      raiseError(ERROR_REGISTER);
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
    if (!exists(offset) || readOnly(offset)) {
      raiseError(ERROR_REGISTER);
      return;
    }
    writeRegister(offset, (int) value);
  }

  private static boolean exists(int register) {
    return switch (register) {
      case ID, VERSION, TPR, APR, PPR, EOI, LDR, DFR, SVR, ESR, ICR, ICR_HIGH -> true;
      case INITIAL_COUNT, CURRENT_COUNT, DIVIDE -> true;
      default ->
          (register >= ISR && register < ESR) || (register >= LVT_TIMER && register <= LVT_ERROR);
    };
  }

  private static boolean readOnly(int register) {
    return register == VERSION
        || register == APR
        || register == PPR
        || register == CURRENT_COUNT
        || (register >= ISR && register < ESR);
  }

  /**
   * RDMSR of an x2APIC register.
   *
   * @param msr 0x800 to 0x8FF
   * @return false for #GP: not in x2APIC mode, no such register, or it can only be written; else
   *     {@link #msrValue} has it
   */
  boolean readMsr(int msr) {
    int register = (msr & 0xFF) << 4;
    if (!x2apic() || !existsAsMsr(register) || register == EOI || register == SELF_IPI) {
      return false;
    }
    if (register == ICR) {
      msrValue = Integer.toUnsignedLong(commandLow) | (long) commandHigh << 32;
    } else {
      msrValue = Integer.toUnsignedLong(readRegister(register));
    }
    return true;
  }

  /** What {@link #readMsr} read. */
  long msrValue;

  /**
   * WRMSR of an x2APIC register; false for #GP: no such register, read-only, or reserved bits set.
   */
  boolean writeMsr(int msr, long value) {
    int register = (msr & 0xFF) << 4;
    if (!x2apic()
        || !existsAsMsr(register)
        || readOnly(register)
        || register == ID
        || register == LDR
        || (value & ~writableAsMsr(register)) != 0) {
      return false;
    }
    if (register == ICR) {
      commandHigh = (int) (value >>> 32);
      writeRegister(ICR, (int) value);
    } else if (register == SELF_IPI) {
      sendSelf((int) value & 0xFF);
    } else {
      writeRegister(register, (int) value);
    }
    return true;
  }

  private static boolean existsAsMsr(int register) {
    return register == SELF_IPI
        || (register != DFR && register != ICR_HIGH && register != APR && exists(register));
  }

  private static long writableAsMsr(int register) {
    return switch (register) {
      case TPR, SELF_IPI -> 0xFF;
      case SVR -> SVR_WRITABLE;
      case ICR -> 0xFFFF_FFFF_0000_0000L | ICR_WRITABLE | 1 << 12;
      case INITIAL_COUNT -> 0xFFFF_FFFFL;
      case DIVIDE -> 0xB;
      case EOI, ESR -> 0;
      // The read-only status bits of an entry may be written, and are ignored.
      default -> LVT_WRITABLE[index(register)] | 0x5000;
    };
  }

  private int readRegister(int register) {
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
      case ICR -> commandLow;
      case ICR_HIGH -> commandHigh;
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

  private void writeRegister(int register, int value) {
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
      case ICR -> send(value & ICR_WRITABLE);
      case ICR_HIGH -> commandHigh = value & 0xFF00_0000;
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

  private void sendSelf(int vector) {
    if (vector < LOWEST_VECTOR) {
      raiseError(ERROR_SEND_VECTOR);
      return;
    }
    accept(vector, false);
    cpu.attend();
  }

  private void send(int low) {
    commandLow = low;
    Delivery delivery = DELIVERIES[low >> 8 & 7];
    Exit.Ipi.Shorthand shorthand = SHORTHANDS[low >> 18 & 3];
    int vector = low & 0xFF;
    boolean fixed = delivery == Delivery.FIXED || delivery == Delivery.LOWEST_PRIORITY;
    if (fixed && vector < LOWEST_VECTOR) {
      raiseError(ERROR_SEND_VECTOR);
      return;
    }
    // INIT level de-assert only synchronized arbitration ids, on the bus of old.
    boolean deassert = (low & (ICR_TRIGGER_LEVEL | ICR_LEVEL_ASSERT)) == ICR_TRIGGER_LEVEL;
    if ((delivery == Delivery.INIT && deassert) || delivery == Delivery.RESERVED) {
      return;
    }
    if (shorthand == Exit.Ipi.Shorthand.SELF) {
      if (fixed) {
        sendSelf(vector);
      } else if (delivery == Delivery.NMI) {
        nmiRequested = true;
        cpu.attend();
      }
      return;
    }
    boolean logical = (low & ICR_LOGICAL) != 0;
    int destination = x2apic() ? commandHigh : commandHigh >>> 24;
    if (!x2apic() && !logical && destination == ALL_8) {
      destination = -1;
    }
    InterruptMessage message = new InterruptMessage(destination, logical, delivery, vector, false);
    cpu.queueExit(new Exit.Ipi(message, shorthand));
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
    commandLow = v.bits("commandLow", commandLow, ICR_WRITABLE);
    commandHigh = v.int32("commandHigh", commandHigh);
    lint0 = v.bool("lint0", lint0);
    nmiRequested = v.bool("nmiRequested", nmiRequested);
    v.part("timer", timer);
    if (v.restoring()) {
      mapPage();
      updateRoute();
    }
  }
}
