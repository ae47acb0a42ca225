package dev.troupe.actors.machine;

import dev.troupe.actors.vcpu.TurnMeter;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** What a machine takes of its host. May be asked by any thread, also when the machine is over. */
public final class MachineUsage {
  private final GuestMemory memory;
  private final AtomicLong processor = new AtomicLong();
  private final AtomicBoolean ran = new AtomicBoolean();

  MachineUsage(GuestMemory memory) {
    this.memory = memory;
  }

  /** Of this machine's turns. */
  TurnMeter meter(TurnTimes times) {
    TurnMeter timer = times.into(processor);
    return new TurnMeter() {
      @Override
      public void begin() {
        timer.begin();
      }

      @Override
      public void end() {
        timer.end();
        if (!ran.getOpaque()) { // all vCPUs would write it, and nearly always for nothing
          ran.set(true);
        }
      }
    };
  }

  /** Whether a turn has ended since the last time that this was asked. */
  public boolean takeRan() {
    return ran.getAndSet(false);
  }

  /**
   * Guest memory that the host has given pages to, bytes; 0 when the machine is over. Takes the
   * host some milliseconds a gigabyte: not for a thread that others wait for.
   *
   * @throws dev.troupe.runtime.memory.HostMemoryException if the host does not tell
   */
  public long memoryBytes() {
    return memory.residentBytes();
  }

  /** Processor time of all vCPUs' turns since the machine was made, ns. */
  public long processorNanos() {
    return processor.get();
  }
}
