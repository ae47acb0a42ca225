package dev.troupe.actors.schedule;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.machine.EventHeap;
import java.util.List;

/**
 * The parallel schedule: virtual time is the host's, and timers are driven by the node's {@link
 * HostTimer}.
 */
public final class ParallelSchedule implements Schedule {
  private final MachineClock clock = new MachineClock();
  private final HostTimer.Alarm alarm;
  private final Expiry expiry;
  private final int devices;
  private List<? extends Runner> runners = List.of();

  // Guarded by this.
  private final EventHeap heap;
  private boolean closed;

  /**
   * Makes the schedule of one machine; its clock stands at 0.
   *
   * @param devices how many may set timers
   * @param vcpus how many have one of their own
   */
  public ParallelSchedule(HostTimer timer, int devices, int vcpus, Expiry expiry) {
    heap = new EventHeap(devices + vcpus);
    this.devices = devices;
    this.expiry = expiry;
    alarm = timer.alarm(this::fire);
  }

  @Override
  public long nanos() {
    return clock.nanos();
  }

  @Override
  public void attach(List<? extends Runner> vcpus) {
    runners = List.copyOf(vcpus);
  }

  @Override
  public boolean postsWake() {
    return true;
  }

  @Override
  public long begin(int vcpu) {
    return TURN_UNITS;
  }

  @Override
  public void running(int vcpu, long slice) {}

  @Override
  public void ran(int vcpu, long used) {}

  @Override
  public long afterExit(Exit exit, long left) {
    return left;
  }

  @Override
  public boolean end(int vcpu, End how) {
    if (how == End.HALTED) {
      // In this order: a deadline that is due at once must find the vCPU at rest, or it wakes
      // nobody; and so must whoever posts.
      Runner runner = runners.get(vcpu);
      runner.rest();
      if (runner.vcpu().cpu.attention()) {
        runner.turn();
      }
      // What others have made of the vCPU meanwhile is newer: its deadline is read with the lock
      // held, or an old one could replace that of a later turn.
      synchronized (this) {
        timer(devices + vcpu, 0, runner.vcpu().nextDeadline());
      }
    }
    return how == End.MORE;
  }

  @Override
  public synchronized void timer(int actor, int timer, long deadline) {
    if (closed) {
      return;
    }
    long before = heap.nextDeadline();
    heap.set(actor, timer, deadline);
    if (heap.nextDeadline() != before) {
      arm();
    }
  }

  @Override
  public synchronized void start() {
    if (!closed) {
      clock.start();
      arm();
    }
  }

  @Override
  public synchronized void stop() {
    clock.stop();
    alarm.stop();
  }

  @Override
  public synchronized void clear() {
    heap.clear();
    alarm.stop();
    runners.forEach(Runner::turn);
  }

  @Override
  public synchronized void close() {
    closed = true;
    clock.stop();
    heap.clear();
    alarm.stop();
  }

  /** On the timer's thread. What is due is taken out one by one, since each may set others. */
  private void fire() {
    while (true) {
      EventHeap.Due due;
      synchronized (this) {
        due = clock.running() ? heap.poll(clock.nanos()) : null;
        if (due == null) {
          arm();
          return;
        }
      }
      if (due.actor() < devices) {
        expiry.expired(due.actor(), due.timer(), due.deadline());
      } else {
        runners.get(due.actor() - devices).turn();
      }
    }
  }

  private void arm() {
    long next = heap.nextDeadline();
    long wait = next == EventHeap.NEVER ? Long.MAX_VALUE : clock.hostNanosUntil(next);
    if (wait == Long.MAX_VALUE) {
      alarm.stop();
    } else {
      alarm.set(wait);
    }
  }
}
