package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * The values that the board has given to the instruction in progress. An instruction that reads
 * outside RAM leaves the vCPU with its first unanswered access, starts again when that is
 * completed, and takes the answers it already has from here, in the order of its accesses. The list
 * is empty whenever no instruction is in progress.
 */
public final class IoReplay implements Stateful {
  /** More accesses than any instruction makes: FXRSTOR from a device, byte by byte, makes 512. */
  private static final int MAXIMUM = 1024;

  private final long[] values = new long[MAXIMUM];
  private int count;
  private int next;

  /** True if no instruction waits to be started again. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** Adds the board's answer to the access that left. */
  public void append(long value) {
    values[count++] = value;
  }

  /** True if the instruction's next access has been answered: {@link #take()} gives the answer. */
  public boolean hasNext() {
    return next < count;
  }

  /** The answer to the instruction's next access. */
  public long take() {
    return values[next++];
  }

  /** Before the instruction starts again: its first access gets the first answer. */
  public void rewind() {
    next = 0;
  }

  /** The instruction has retired, or ended in an exception. */
  public void clear() {
    count = 0;
    next = 0;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    // Half, so that a hostile state leaves room for all that one instruction can ask.
    count = v.count("values", count, MAXIMUM / 2);
    v.longs("values", values, count);
    if (v.restoring()) {
      next = 0;
    }
  }
}
