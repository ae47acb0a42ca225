package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A machine that counts in a thread of its own, in emitted code, until it is told to end. */
final class CountingGuest implements AutoCloseable {
  /** Long, so that the thread is in emitted code nearly all the time. */
  private static final long SLICE = 20_000_000;

  private static final long LIMIT_SECONDS = 60;

  /** So that what is slow in a new JVM has been done. */
  private static final int SLICES_BEFORE = 5;

  private static final Exit TURN_END = new Exit.TurnEnd();

  // again: inc rax; add rbx,rax; cmp rcx,0; je again; hlt
  private static final String CODE = "48ffc0 4801c3 4883f900 74f4 f4";

  private final FutureTask<Long> task = new FutureTask<>(this::count);
  private volatile boolean ending;
  private final AtomicInteger slices = new AtomicInteger();

  /** Starts and is counting when this returns. */
  CountingGuest() throws InterruptedException {
    Thread.ofPlatform().daemon().name("counting").start(task);
    while (slices.get() < SLICES_BEFORE && !task.isDone()) {
      Thread.sleep(1);
    }
  }

  private long count() {
    try (FlatGuest guest = new FlatGuest(CODE, Plant.NONE)) {
      while (!ending) {
        assertThat(guest.run(SLICE)).isEqualTo(TURN_END);
        slices.incrementAndGet();
      }
      guest.cpu.gpr[Cpu.RCX] = 1;
      assertThat(guest.run(SLICE)).isEqualTo(new Exit.Halt());
      long counted = guest.cpu.gpr[Cpu.RAX];
      assertThat(guest.cpu.gpr[Cpu.RBX]).isEqualTo(sumTo(counted));
      assertThat(guest.emitted()).isGreaterThan(slices.get() * SLICE / 2);
      return counted;
    }
  }

  /**
   * 1 + 2 + … + n as the guest has it, in 64 bits: a fast host gets to where n * (n + 1) does not
   * fit.
   */
  private static long sumTo(long n) {
    return n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;
  }

  /** Lets the guest end; gives how far it has counted, which has been checked. */
  long end() throws Exception {
    ending = true;
    try {
      return task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("the other machine failed", e.getCause());
    }
  }

  @Override
  public void close() {
    ending = true;
  }
}
