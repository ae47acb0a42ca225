package dev.troupe.runtime.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Which messages are for a local APIC (Intel SDM vol. 3A, 11.6.2), in one word that its vCPU writes
 * and any thread reads.
 */
final class ApicRoute {
  private static final int ID_SHIFT = 32;
  private static final long ENABLED = 1L << 40;
  private static final long X2APIC = 1L << 41;
  private static final long FLAT = 1L << 42;
  private static final long SOFTWARE_ENABLED = 1L << 43;

  private static final VarHandle WORD;

  static {
    try {
      WORD = MethodHandles.lookup().findVarHandle(ApicRoute.class, "word", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The logical destination below, the id above (8 bits), then how they are to be read. */
  @SuppressWarnings("unused")
  private long word;

  /** The logical destination register in x2APIC mode (11.12.10.2). */
  static int x2apicLogical(int apicId) {
    return (apicId >> 4) << 16 | 1 << (apicId & 15);
  }

  /** Takes over the registers; by the vCPU's thread. */
  void set(
      int logicalDestination,
      int destinationFormat,
      int id,
      boolean enabled,
      boolean x2apic,
      boolean softwareEnabled) {
    long next = Integer.toUnsignedLong(logicalDestination) | (long) (id & 0xFF) << ID_SHIFT;
    next |= enabled ? ENABLED : 0;
    next |= x2apic ? X2APIC : 0;
    next |= destinationFormat >>> 28 == 0xF ? FLAT : 0;
    next |= softwareEnabled ? SOFTWARE_ENABLED : 0;
    WORD.setRelease(this, next);
  }

  /** See {@link LocalApic#matches}. */
  boolean matches(int destination, boolean logical) {
    long now = (long) WORD.getAcquire(this);
    if ((now & ENABLED) == 0) {
      return false;
    }
    if (destination == -1) {
      return true;
    }
    if (!logical) {
      return destination == ((int) (now >>> ID_SHIFT) & 0xFF);
    }
    int ldr = (int) now;
    if ((now & X2APIC) != 0) {
      return destination >>> 16 == ldr >>> 16 && (destination & ldr & 0xFFFF) != 0;
    }
    int mine = ldr >>> 24;
    if ((now & FLAT) != 0) {
      return (destination & mine & 0xFF) != 0;
    }
    boolean cluster = (destination & 0xF0) == (mine & 0xF0) || (destination & 0xF0) == 0xF0;
    return cluster && (destination & mine & 0x0F) != 0;
  }

  /** See {@link LocalApic#acceptsFixed}. */
  boolean acceptsFixed() {
    long enabled = ENABLED | SOFTWARE_ENABLED;
    return ((long) WORD.getAcquire(this) & enabled) == enabled;
  }
}
