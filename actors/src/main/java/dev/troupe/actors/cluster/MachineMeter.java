package dev.troupe.actors.cluster;

import dev.troupe.actors.cluster.logic.HostLogic.Measured;
import dev.troupe.actors.machine.MachineUsage;
import dev.troupe.runtime.memory.HostMemoryException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks now and then at what the machines of a node use, on a thread that nobody waits for. A
 * machine that has not run since the last time is not looked at: it uses what it used.
 */
final class MachineMeter {
  /** As often as a host reports its machines. */
  static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** Looking takes at most such a part of one processor. */
  static final int PART = 100;

  private static final Logger LOG = LoggerFactory.getLogger(MachineMeter.class);

  /** One machine under one epoch. */
  static final class Subject {
    private final String vm;
    private final long epoch;
    private final MachineUsage usage;

    /** Of the thread that looks. */
    private boolean seen;

    Subject(String vm, long epoch, MachineUsage usage) {
      this.vm = vm;
      this.epoch = epoch;
      this.usage = usage;
    }

    private void look(List<Measured> news) {
      if (!usage.takeRan() && seen) {
        return;
      }
      seen = true;
      try {
        news.add(new Measured(vm, epoch, usage.memoryBytes(), usage.processorNanos()));
      } catch (HostMemoryException e) {
        LOG.debug("{}: {}", vm, e.getMessage());
      }
    }
  }

  /**
   * What was seen, and how long that took.
   *
   * @param news of the machines that have run
   */
  record Round(List<Measured> news, long nanos) {}

  private final Executor thread;
  private final Consumer<Round> told;
  private boolean looking;
  private boolean looked;
  private long begun;
  private long rest;

  /**
   * A meter that has not looked yet.
   *
   * @param told of each round, on the thread that looks; {@link #over} has to follow
   */
  MachineMeter(Executor thread, Consumer<Round> told) {
    this.thread = thread;
    this.told = told;
  }

  /**
   * Looks at these, if it is time to.
   *
   * @param nanos a monotonic clock
   */
  void tick(long nanos, List<Subject> subjects) {
    if (looking || subjects.isEmpty() || (looked && nanos - begun < rest)) {
      return;
    }
    looking = true;
    looked = true;
    begun = nanos;
    thread.execute(
        () -> {
          long from = System.nanoTime();
          List<Measured> news = new ArrayList<>();
          subjects.forEach(subject -> subject.look(news));
          told.accept(new Round(news, System.nanoTime() - from));
        });
  }

  /** A round is over; the next may begin when it is time. */
  void over(Round round) {
    looking = false;
    rest = Math.max(EVERY_NANOS, PART * round.nanos());
  }
}
