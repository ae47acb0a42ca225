package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.schedule.TestMachines.Io;
import dev.troupe.actors.schedule.TestMachines.Irq;
import dev.troupe.actors.schedule.TestMachines.Message;
import dev.troupe.actors.schedule.TestMachines.TestMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The board's law, on real actors and threads: exits end when all that they caused is done, nothing
 * locks up, threads are shared fairly. Every wait is bounded: a hang is a failure, not a stuck
 * build.
 */
@Timeout(60)
class BoardTest {
  private static TestMachines machines;

  @BeforeAll
  static void start() {
    machines = new TestMachines();
  }

  @AfterAll
  static void stop() {
    machines.close();
  }

  private record Tree(ExitSlot exit, int vcpu, int depth) implements Message, ExitSlot.Root {}

  private record Branch(int vcpu, int depth) implements Message {}

  /** Each message of the tree sends two more until its depth is used up. */
  @Test
  void anExitEndsWhenAllThatItCausedHasBeenHandledAndNotBefore() throws Exception {
    AtomicLong[] handled = {new AtomicLong(), new AtomicLong()};
    TestMachine machine =
        machines.machine(
            2,
            (index, m) ->
                Behaviors.receiveMessage(
                    message -> {
                      int vcpu = -1;
                      int depth = 0;
                      if (message instanceof Tree tree) {
                        vcpu = tree.vcpu;
                        depth = tree.depth;
                        tree.exit.reply(7);
                      } else if (message instanceof Branch branch) {
                        vcpu = branch.vcpu;
                        depth = branch.depth;
                      }
                      if (vcpu >= 0) {
                        handled[vcpu].incrementAndGet();
                        for (int k = 0; depth > 0 && k < 2; k++) {
                          m.devices.get((index + 1 + k * 3) & 7).tell(new Branch(vcpu, depth - 1));
                        }
                      }
                      return Behaviors.same();
                    }),
            null);
    AtomicLong incomplete = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    Thread noise =
        new Thread(
            () -> {
              while (!stop.get()) {
                machine.devices.get(3).tell(new Irq(1));
                LockSupport.parkNanos(20_000);
              }
            });
    noise.start();
    Thread[] vcpus = new Thread[2];
    for (int k = 0; k < vcpus.length; k++) {
      int me = k;
      vcpus[k] =
          new Thread(
              () -> {
                SplittableRandom random = new SplittableRandom(me);
                ExitSlot exit = machine.exits[me];
                for (int i = 0; i < 30_000; i++) {
                  int depth = random.nextInt(5);
                  int to = random.nextInt(8);
                  long before = handled[me].get();
                  machine.board.call(
                      exit, () -> machine.devices.get(to).tell(new Tree(exit, me, depth)));
                  long expected = (2L << depth) - 1;
                  if (handled[me].get() - before != expected
                      || exit.messages() != expected
                      || !exit.replied()
                      || exit.value() != 7) {
                    incomplete.incrementAndGet();
                  }
                }
              });
      vcpus[k].start();
    }
    TestMachines.join(vcpus);
    stop.set(true);
    noise.join();

    assertThat(incomplete).hasValue(0);
    assertThat(machine.stop()).isTrue();
  }

  @Test
  void anExitThatNeverComesToRestIsCutOffUnrepliedAndTheBoardGoesOn() throws Exception {
    TestMachine machine =
        machines.machine(
            1,
            (index, m) ->
                Behaviors.receiveMessage(
                    message -> {
                      if (message instanceof Io io) {
                        io.exit().reply(1);
                        if (io.value() == 0) {
                          return Behaviors.same();
                        }
                      }
                      m.devices.get(index ^ 1).tell(new Irq(index)); // its peer answers likewise
                      return Behaviors.same();
                    }),
            null);

    machine.io(0, 0, 1);
    assertThat(machine.exits[0].overrun()).isTrue();
    assertThat(machine.exits[0].replied()).isFalse();
    machine.io(0, 0, 0);
    assertThat(machine.exits[0].replied()).isTrue();
    assertThat(machine.stop()).isTrue();
  }

  enum Load {
    TWO_VCPUS,
    SLOW_DEVICE,
    FOUR_VCPUS
  }

  /**
   * Both pool threads are vCPUs of one machine that make exits all the time; one has long turns;
   * doorbells from outside.
   */
  @ParameterizedTest
  @EnumSource(Load.class)
  void vcpusThatHoldEveryPoolThreadNeverLockUpTheBoard(Load load) throws Exception {
    TestMachine machine =
        machines.machine(
            4,
            (index, m) ->
                Behaviors.receiveMessage(
                    message -> {
                      if (message instanceof Io io) {
                        if (load == Load.SLOW_DEVICE && io.value() % 1000 == 0) {
                          LockSupport.parkNanos(1_000_000);
                        }
                        m.devices.get((index + 1) & 7).tell(new Irq(index));
                        io.exit().reply(1);
                      }
                      return Behaviors.same();
                    }),
            null);
    int vcpus = load == Load.FOUR_VCPUS ? 4 : 2;
    CountDownLatch done = new CountDownLatch(vcpus);
    for (int v = 0; v < vcpus; v++) {
      int me = v;
      machines.spawn(busyVcpu(machine, me, 400, done), TestMachines.TURNS).tell(1);
    }
    AtomicBoolean stop = new AtomicBoolean();
    Thread bell =
        new Thread(
            () -> {
              while (!stop.get()) {
                machine.devices.get(5).tell(new Irq(9));
                LockSupport.parkNanos(30_000);
              }
            });
    bell.start();
    boolean ended = done.await(TestMachines.WAIT_SECONDS, TimeUnit.SECONDS);
    stop.set(true);
    bell.join();

    assertThat(ended).as("%d messages handled", machine.board.number()).isTrue();
    assertThat(machine.stop()).isTrue();
  }

  private static Behavior<Integer> busyVcpu(
      TestMachine machine, int me, int turns, CountDownLatch done) {
    return Behaviors.setup(
        context ->
            Behaviors.receiveMessage(
                turn -> {
                  for (int i = 0; i < 50; i++) {
                    long value = turn * 50L + i;
                    machine.io(me, (int) (value & 7), value);
                  }
                  if (me == 1) {
                    long start = System.nanoTime();
                    while (System.nanoTime() - start < 200_000) {
                      Thread.onSpinWait();
                    }
                  }
                  if (turn == turns) {
                    done.countDown();
                    return Behaviors.stopped();
                  }
                  context.getSelf().tell(turn + 1);
                  return Behaviors.same();
                }));
  }

  /**
   * A turn is one message: of sixteen vCPUs of four machines on two threads none gets far ahead of
   * another.
   */
  @Test
  void busyVcpusShareTheThreadsFairly() throws Exception {
    List<TestMachine> all = new ArrayList<>();
    AtomicLong[] turns = new AtomicLong[16];
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch ended = new CountDownLatch(turns.length);
    for (int m = 0; m < 4; m++) {
      TestMachine machine = machines.machine(4, BoardTest::answering, null);
      all.add(machine);
      for (int v = 0; v < 4; v++) {
        int vcpu = v;
        AtomicLong mine = new AtomicLong();
        turns[m * 4 + v] = mine;
        machines
            .spawn(
                Behaviors.<Integer>setup(
                    context ->
                        Behaviors.receiveMessage(
                            any -> {
                              machine.io(vcpu, vcpu, 1);
                              mine.incrementAndGet();
                              if (stop.get()) {
                                ended.countDown();
                                return Behaviors.stopped();
                              }
                              context.getSelf().tell(any);
                              return Behaviors.same();
                            })),
                TestMachines.TURNS)
            .tell(0);
      }
    }
    // Counted from when all have begun, and in turns, not in time.
    TestMachines.await(() -> least(turns) > 0);
    long[] from = counts(turns);
    TestMachines.await(() -> least(turns) > 2_000 + from[15]);
    long[] to = counts(turns);
    stop.set(true);
    assertThat(ended.await(TestMachines.WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();

    long least = Long.MAX_VALUE;
    long most = 0;
    for (int i = 0; i < turns.length; i++) {
      least = Math.min(least, to[i] - from[i]);
      most = Math.max(most, to[i] - from[i]);
    }
    assertThat(most).as("least %d, most %d turns", least, most).isLessThan(2 * least + 100);
    for (TestMachine machine : all) {
      assertThat(machine.stop()).isTrue();
    }
  }

  private static long least(AtomicLong[] counters) {
    long least = Long.MAX_VALUE;
    for (AtomicLong counter : counters) {
      least = Math.min(least, counter.get());
    }
    return least;
  }

  private static long[] counts(AtomicLong[] counters) {
    long[] counts = new long[counters.length];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = counters[i].get();
    }
    return counts;
  }

  private static Behavior<Message> answering(int index, TestMachine machine) {
    return Behaviors.receiveMessage(
        message -> {
          if (message instanceof Io io) {
            io.exit().reply(io.value());
          }
          return Behaviors.same();
        });
  }

  @Test
  void hundredsOfMachinesComeAndGoAndLeaveNoBoardBehind() throws Exception {
    int before = machines.boards();
    List<TestMachine> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(machines.machine(2, BoardTest::answering, null));
    }
    assertThat(machines.boards()).isEqualTo(before + 200);
    for (TestMachine machine : all) {
      machine.io(0, 0, 5);
      assertThat(machine.exits[0].value()).isEqualTo(5);
    }
    for (TestMachine machine : all) {
      assertThat(machine.stop()).isTrue();
    }
    assertThat(machines.boards()).isEqualTo(before);
  }
}
