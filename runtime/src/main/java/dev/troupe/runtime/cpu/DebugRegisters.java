package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * DR0 to DR7: breakpoints and single step (Intel SDM vol. 3B, 17.2 and 17.3).
 *
 * <p>The engine's part: while {@link Mode#SLOW} is set it calls {@link #before()} ahead of each
 * instruction, and {@link #after()} when it has retired; the latter says whether to deliver #DB as
 * a trap. Data accesses report themselves through {@link Mmu.Watch}, ports through {@link #port}.
 */
public final class DebugRegisters implements Mmu.Watch, Stateful {
  /** DR6 as reset leaves it: no cause, the reserved bits one. */
  public static final long DR6_INITIAL = 0xFFFF_0FF0L;

  /** DR7 as reset leaves it. */
  public static final long DR7_INITIAL = 0x400;

  /** DR6: a debug register was accessed while DR7.GD was set. */
  public static final long BD = 1L << 13;

  /** DR6: single step. */
  public static final long BS = 1L << 14;

  /** DR6: switch to a task whose TSS has T set. */
  public static final long BT = 1L << 15;

  /** DR7: general detect. */
  public static final long GD = 1L << 13;

  private static final long DR6_WRITABLE = 0xF | BD | BS | BT;
  private static final long DR7_WRITABLE = 0xFFFF_23FFL;
  private static final long ENABLES = 0xFF;

  private static final int BREAKPOINTS = 4;

  private static final int EXECUTE = 0;
  private static final int WRITE = 1;
  private static final int PORT = 2;

  private final Cpu cpu;

  /** Single step: TF was set when the instruction began. */
  private boolean stepping;

  /**
   * DR6 bits of conditions that the current instruction met and that wait for its end, or for the
   * end of a MOV SS shadow.
   */
  private long pending;

  /** What was {@link #pending} when the current instruction began. */
  private long held;

  DebugRegisters(Cpu cpu) {
    this.cpu = cpu;
  }

  /** True if a DR7 value enables any breakpoint, local or global. */
  static boolean enabled(long dr7) {
    return (dr7 & ENABLES) != 0;
  }

  void reset() {
    for (int i = 0; i < 4; i++) {
      cpu.dr[i] = 0;
    }
    cpu.dr[6] = DR6_INITIAL;
    cpu.dr[7] = DR7_INITIAL;
    stepping = false;
    pending = 0;
    held = 0;
    changed();
  }

  /**
   * MOV from a debug register.
   *
   * @param number 0 to 15, as encoded
   */
  public long read(int number) {
    return cpu.dr[checked(number)];
  }

  /** MOV to a debug register, outside 64-bit mode with a zero-extended value. */
  public void write(int number, long value) {
    int register = checked(number);
    if (register >= 6 && value >>> 32 != 0) {
      throw cpu.fault(Fault.GP, 0);
    }
    switch (register) {
      case 6 -> cpu.dr[6] = (value & DR6_WRITABLE) | DR6_INITIAL;
      case 7 -> cpu.dr[7] = (value & DR7_WRITABLE) | DR7_INITIAL;
      default -> cpu.dr[register] = value;
    }
    changed();
    cpu.updateMode();
  }

  /** The register that is meant: DR4 and DR5 are DR6 and DR7, or #UD under CR4.DE. */
  private int checked(int number) {
    int register = number;
    if (number > 7) {
      throw cpu.fault(Fault.UD);
    }
    if (number == 4 || number == 5) {
      if ((cpu.cr4 & ControlRegisters.DE) != 0) {
        throw cpu.fault(Fault.UD);
      }
      register = number + 2;
    }
    if ((cpu.dr[7] & GD) != 0) {
      throw raise(BD);
    }
    return register;
  }

  /** Records the cause; the handler runs with general detect off. */
  private Fault raise(long cause) {
    cpu.dr[6] |= cause;
    cpu.dr[7] &= ~GD;
    return cpu.fault(Fault.DB);
  }

  /** DR7, an address or CR4.DE changed: memory accesses look out for what is watched now. */
  void changed() {
    boolean data = false;
    for (int i = 0; i < 4; i++) {
      data |= active(i) && (kind(i) & 1) != 0;
    }
    cpu.mmu.setWatch(data ? this : null);
  }

  private boolean active(int breakpoint) {
    return (cpu.dr[7] >>> (2 * breakpoint) & 3) != 0;
  }

  /** 0 execute, 1 write, 2 port, 3 read or write. */
  private int kind(int breakpoint) {
    return (int) (cpu.dr[7] >>> (16 + 4 * breakpoint)) & 3;
  }

  /** Bytes watched: 1, 2, 4 or 8. */
  private int length(int breakpoint) {
    int code = (int) (cpu.dr[7] >>> (18 + 4 * breakpoint)) & 3;
    return code == 2 ? 8 : code + 1;
  }

  /**
   * True if [address, address + size) meets the breakpoint's range, whose low address bits are
   * ignored.
   */
  private boolean hits(int breakpoint, long address, int size) {
    int length = length(breakpoint);
    long first = cpu.dr[breakpoint] & -length;
    // Differences, so that ranges at the ends of the address space are right.
    return Long.compareUnsigned(address - first, length) < 0
        || Long.compareUnsigned(first - address, size) < 0;
  }

  /**
   * Before an instruction in slow mode: throws #DB if an instruction breakpoint is at {@code
   * cpu.rip} and RF does not hold it back, and notes whether the instruction is to be followed by a
   * single-step trap. RF is used up; an instruction that then faults pushes it set.
   */
  public void before() {
    boolean resume = (cpu.systemFlags & Rflags.RF) != 0;
    stepping = (cpu.systemFlags & Rflags.TF) != 0;
    held = pending;
    if (!resume && cpu.replay.isEmpty() && enabled(cpu.dr[7])) {
      long linear = cpu.linearRip();
      long met = 0;
      for (int i = 0; i < 4; i++) {
        if (active(i) && kind(i) == EXECUTE && hits(i, linear, 1)) {
          met |= 1L << i;
        }
      }
      if (met != 0) {
        throw raise(met);
      }
    }
    if (resume) {
      cpu.systemFlags &= ~Rflags.RF;
      cpu.updateMode();
    }
  }

  /**
   * After an instruction in slow mode has retired.
   *
   * @return true if #DB is now to be delivered as a trap; DR6 has the causes
   */
  public boolean after() {
    if (stepping) {
      stepping = false;
      // Not after an instruction that loaded SS: the next one is stepped.
      if (cpu.shadow != Cpu.SHADOW_MOV_SS) {
        pending |= BS;
      }
    }
    if (pending == 0 || cpu.shadow == Cpu.SHADOW_MOV_SS) {
      return false;
    }
    raise(pending);
    pending = 0;
    return true;
  }

  /** SYSCALL and SYSRET: the new TF decides whether a trap follows, not the one they began with. */
  public void stepByNewFlags() {
    stepping = (cpu.systemFlags & Rflags.TF) != 0;
  }

  /** The current instruction did not retire: what it met it will meet again, or never. */
  public void discard() {
    stepping = false;
    pending = held;
  }

  /** A software interrupt: its handler begins with TF clear, and so without a single-step trap. */
  public void softwareInterrupt() {
    stepping = false;
  }

  @Override
  public boolean covers(long linearPage) {
    for (int i = 0; i < 4; i++) {
      if (active(i) && (kind(i) & 1) != 0 && (cpu.dr[i] & -4096L) == (linearPage & -4096L)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void accessed(long linear, int size, boolean write) {
    for (int i = 0; i < 4; i++) {
      int kind = kind(i);
      boolean watched = kind == 3 || (kind == WRITE && write);
      if (watched && active(i) && hits(i, linear, size)) {
        pending |= 1L << i;
      }
    }
  }

  /** A port access that was permitted; meets I/O breakpoints if CR4.DE is set. */
  public void port(int port, int size) {
    if ((cpu.cr4 & ControlRegisters.DE) == 0) {
      return;
    }
    for (int i = 0; i < 4; i++) {
      if (active(i) && kind(i) == PORT && hits(i, port, size)) {
        pending |= 1L << i;
      }
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.longs("address", cpu.dr, BREAKPOINTS);
    cpu.dr[6] = v.int64("dr6", cpu.dr[6]);
    v.require(
        ((cpu.dr[6] ^ DR6_INITIAL) & ~DR6_WRITABLE) == 0, "dr6", cpu.dr[6], "its reserved bits");
    cpu.dr[7] = v.int64("dr7", cpu.dr[7]);
    v.require(
        ((cpu.dr[7] ^ DR7_INITIAL) & ~DR7_WRITABLE) == 0, "dr7", cpu.dr[7], "its reserved bits");
    pending = v.bits("pending", pending, DR6_WRITABLE);
    if (v.restoring()) {
      stepping = false;
      held = pending;
      changed();
    }
  }
}
