package dev.troupe.runtime.cpu;

import java.util.Arrays;
import java.util.List;

/**
 * Where somebody outside the guest wants a vCPU to stop: addresses of instructions and ranges of
 * data, all linear. The guest sees nothing of it: neither its memory nor its debug registers nor
 * its time are touched. Set while the vCPU is between runs of its engine.
 *
 * <p>The engine's part: between instructions, when nothing else comes first, it calls {@link #due}
 * and ends its run if that says so; before a block it looks whether {@link #isNear} makes it look
 * closer. Data accesses report themselves through {@link Mmu.Watch}; an instruction that does not
 * retire is taken back by {@link #discard}.
 */
public final class Stops implements Mmu.Watch {
  /** Bits of an address that say which page; the rest is where in it. */
  private static final int PAGE_SHIFT = 12;

  private static final long NEVER = -1;

  /** What kind of access a range of data stops. */
  public enum Access {
    READ,
    WRITE,
    EITHER
  }

  /**
   * A range of data.
   *
   * @param linear its first byte
   * @param length bytes, 1 or more
   */
  public record Watchpoint(Access access, long linear, long length) {
    private boolean meets(long address, int size) {
      // Differences, so that ranges at the ends of the address space are right.
      return Long.compareUnsigned(address - linear, length) < 0
          || Long.compareUnsigned(linear - address, size) < 0;
    }

    private boolean covers(long page) {
      long first = linear >>> PAGE_SHIFT;
      long last = (linear + length - 1) >>> PAGE_SHIFT;
      long number = page >>> PAGE_SHIFT;
      return Long.compareUnsigned(number - first, last - first) <= 0;
    }
  }

  /**
   * What was met.
   *
   * @param watchpoint null for an instruction's address
   * @param address of the instruction, or of the first byte accessed
   * @param ago units that the vCPU has retired since just before the instruction that met it: 0 for
   *     an instruction's address, as that has not run yet
   */
  public record Hit(Watchpoint watchpoint, long address, long ago) {}

  /** Is told of each hit, on the vCPU's thread. */
  @FunctionalInterface
  public interface Listener {
    /** True if the vCPU is to stop. */
    boolean met(Hit hit);
  }

  private final Cpu cpu;
  private long[] breakpoints = {};
  private List<Watchpoint> watchpoints = List.of();
  private Listener listener = hit -> true;
  private boolean active;
  private int version;

  /** Units at the breakpoint that was met last: it is met once in one place. */
  private long passed = NEVER;

  /** The first access of the current instruction that met a watchpoint; null for none. */
  private Watchpoint accessed;

  private long accessedAt;

  /** Units when the instruction had retired; {@link #NEVER} while it has not. */
  private long retiredAt = NEVER;

  private Hit stopped;

  Stops(Cpu cpu) {
    this.cpu = cpu;
  }

  /**
   * Sets what there is to stop at, in place of what there was.
   *
   * @param addresses linear addresses of instructions
   */
  public void set(List<Long> addresses, List<Watchpoint> ranges) {
    long[] sorted = addresses.stream().mapToLong(Long::longValue).sorted().distinct().toArray();
    if (!Arrays.equals(sorted, breakpoints)) {
      version++;
    }
    breakpoints = sorted;
    watchpoints = List.copyOf(ranges);
    active = sorted.length > 0 || !watchpoints.isEmpty();
    cpu.mmu.setOuterWatch(watchpoints.isEmpty() ? null : this);
    discard();
  }

  /** Who says whether a hit stops the vCPU; at first each does. */
  public void listen(Listener to) {
    listener = to;
  }

  /** Whether there is anything to stop at. */
  public boolean isActive() {
    return active;
  }

  /** Changes with the addresses of instructions. */
  public int version() {
    return version;
  }

  /** Why the engine has ended its run, if it was for this; null if not. Forgets it. */
  public Hit takeStopped() {
    Hit taken = stopped;
    stopped = null;
    return taken;
  }

  // The engine's side ---------------------------------------------------------------------------

  /** Whether there is an instruction to stop at in the page of this linear address. */
  public boolean isNear(long linear) {
    for (long breakpoint : breakpoints) {
      if ((breakpoint ^ linear) >>> PAGE_SHIFT == 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether there is an instruction to stop at in these bytes. */
  public boolean isWithin(long linear, int length) {
    for (long breakpoint : breakpoints) {
      if (Long.compareUnsigned(breakpoint - linear, length) < 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether the engine has to ask {@link #due} before the instruction at that linear address.
   *
   * @param units as there
   */
  public boolean asks(long linear, long units) {
    return units != passed && Arrays.binarySearch(breakpoints, linear) >= 0;
  }

  /** True if an access has met a watchpoint: the run is to be looked at after its instruction. */
  public boolean isPending() {
    return accessed != null;
  }

  /** The instruction in progress did not retire: what it met it will meet again, or never. */
  public void discard() {
    if (retiredAt == NEVER) {
      accessed = null;
    }
  }

  /**
   * All that was begun has retired.
   *
   * @param units what the vCPU has retired so far
   */
  public void retired(long units) {
    if (accessed != null && retiredAt == NEVER) {
      retiredAt = units;
    }
  }

  /**
   * Between two instructions, with no event to deliver and no exit to make first.
   *
   * @param units what the vCPU has retired so far
   * @return true if the run is to end here
   */
  public boolean due(long units) {
    if (accessed != null) {
      Hit hit = new Hit(accessed, accessedAt, units - retiredAt + 1);
      accessed = null;
      retiredAt = NEVER;
      if (met(hit)) {
        return true;
      }
    }
    long linear = cpu.linearRip();
    if (!asks(linear, units)) {
      return false;
    }
    passed = units;
    // An instruction that goes on, or that a fault's handler returns to, was met when it began.
    boolean again = (cpu.systemFlags & Rflags.RF) != 0 || !cpu.replay.isEmpty();
    return !again && met(new Hit(null, linear, 0));
  }

  private boolean met(Hit hit) {
    boolean stop = listener.met(hit);
    stopped = stop ? hit : null;
    return stop;
  }

  @Override
  public boolean covers(long linearPage) {
    for (Watchpoint watchpoint : watchpoints) {
      if (watchpoint.covers(linearPage)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void accessed(long linear, int size, boolean write) {
    if (accessed != null) {
      return;
    }
    for (Watchpoint watchpoint : watchpoints) {
      boolean kind =
          switch (watchpoint.access()) {
            case READ -> !write;
            case WRITE -> write;
            case EITHER -> true;
          };
      if (kind && watchpoint.meets(linear, size)) {
        accessed = watchpoint;
        accessedAt = linear;
        cpu.execution.stop();
        return;
      }
    }
  }
}
