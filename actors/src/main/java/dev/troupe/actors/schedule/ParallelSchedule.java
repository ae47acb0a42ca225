package dev.troupe.actors.schedule;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.machine.EventHeap;
import java.util.List;
import java.util.stream.Stream;

/**
 * The parallel schedule: virtual time is the host's, and timers are driven by the node's {@link
 * HostTimer}.
 */
public final class ParallelSchedule implements Schedule {
  /**
   * Units in a turn, at most: what a message costs vanishes beside so many. Emitted code does them
   * in less than a millisecond, the interpreter in some five; whatever is posted to a vCPU is seen
   * within the turn.
   */
  private static final long PARALLEL_TURN_UNITS = 500_000;

  /** PAUSEs of a guest that may go by before it tells one: some microseconds. */
  private static final int UNTOLD_PAUSES = 63;

  /** What one that is told costs of a turn: who is waited for may have no thread. */
  private static final long PAUSE_UNITS = PARALLEL_TURN_UNITS / 32;

  private final MachineClock clock = new MachineClock();
  private final HostTimer.Alarm alarm;
  private final Expiry expiry;
  private final int devices;

  /** By vCPU; empty where they are more than the host's processors, which others can use. */
  private final List<HaltPoll> polls;

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
    int looking = vcpus <= Runtime.getRuntime().availableProcessors() ? vcpus : 0;
    polls = Stream.generate(HaltPoll::new).limit(looking).toList();
    this.expiry = expiry;
    alarm = timer.alarm(this::fire);
  }

  @Override
  public long nanos() {
    return clock.nanos();
  }

  @Override
  public long behindHost() {
    return clock.behindHost();
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
    if (!polls.isEmpty()) {
      polls.get(vcpu).goesOn(clock.nanos());
    }
    return PARALLEL_TURN_UNITS;
  }

  @Override
  public void running(int vcpu, long slice) {}

  @Override
  public void ran(int vcpu, long used) {}

  @Override
  public int untoldPauses() {
    return UNTOLD_PAUSES;
  }

  @Override
  public long afterExit(Exit exit, long left) {
    return exit instanceof Exit.Pause ? left - PAUSE_UNITS : left;
  }

  @Override
  public boolean end(int vcpu, End how) {
    if (how == End.HALTED) {
      if (!polls.isEmpty() && wakesSoon(runners.get(vcpu).vcpu(), polls.get(vcpu))) {
        return true;
      }
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

  /** Looks out for what wakes a vCPU that has halted; true if it came. */
  private boolean wakesSoon(Vcpu vcpu, HaltPoll poll) {
    long until = poll.halted(clock.nanos());
    while (clock.running()) {
      long now = clock.nanos();
      poll.looks(now);
      if (vcpu.cpu.attention() || vcpu.nextDeadline() <= now) {
        return true;
      }
      if (now >= until) {
        return false;
      }
      Thread.onSpinWait();
    }
    return false;
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
