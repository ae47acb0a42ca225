package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.schedule.TestMachines.Io;
import dev.troupe.actors.schedule.TestMachines.Irq;
import dev.troupe.actors.schedule.TestMachines.Message;
import dev.troupe.actors.schedule.TestMachines.TestMachine;
import dev.troupe.actors.schedule.TestMachines.Tick;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The board's law, on real actors and threads: in which order messages are handled, and by whom.
 * Every wait is bounded: a hang is a failure, not a stuck build.
 */
@Timeout(60)
class BoardOrderTest {
  private static TestMachines machines;

  @BeforeAll
  static void start() {
    machines = new TestMachines();
  }

  @AfterAll
  static void stop() {
    machines.close();
  }

  /**
   * Tickets drawn under a lock together with the send define the order from outside. Four senders,
   * two of them vCPUs that make exits too, and devices that send on.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void messagesAreHandledInTheOrderOfSendingOneAtATimeWithGaplessNumbers(boolean tickets)
      throws Exception {
    OrderCheck check = new OrderCheck(tickets);
    TestMachine machine = machines.machine(2, check::device, check::record);
    Thread[] senders = new Thread[4];
    for (int k = 0; k < senders.length; k++) {
      int me = k;
      senders[k] = new Thread(() -> check.sender(machine, me, 50_000));
      senders[k].start();
    }
    TestMachines.join(senders);
    TestMachines.await(() -> check.handled.get() == check.sent.get());

    assertThat(check.outOfOrder).as("out of order").hasValue(0);
    assertThat(check.numberGaps).as("number gaps").hasValue(0);
    assertThat(check.overlaps).as("two at once").hasValue(0);
    assertThat(check.handled.get()).isEqualTo(check.sent.get());
    assertThat(machine.stop()).isTrue();
  }

  private static final class OrderCheck {
    final boolean tickets;
    final Object lock = new Object();
    long nextTicket;
    long lastTicket;
    long lastNumber;
    final long[] lastSequence = new long[16];
    final AtomicInteger inside = new AtomicInteger();
    final AtomicLong sent = new AtomicLong();
    final AtomicLong handled = new AtomicLong();
    final AtomicLong outOfOrder = new AtomicLong();
    final AtomicLong numberGaps = new AtomicLong();
    final AtomicLong overlaps = new AtomicLong();

    OrderCheck(boolean tickets) {
      this.tickets = tickets;
    }

    void record(long number, BoardMailbox.Queue from, BoardMailbox.Queue to, Object message) {
      if (number != lastNumber + 1) {
        numberGaps.incrementAndGet();
      }
      lastNumber = number;
    }

    void tell(TestMachine machine, int to, int sender, long sequence, int hops) {
      sent.incrementAndGet();
      if (tickets) {
        synchronized (lock) {
          machine.devices.get(to).tell(new Tick(++nextTicket, sender, sequence, hops));
        }
      } else {
        machine.devices.get(to).tell(new Tick(0, sender, sequence, hops));
      }
    }

    Behavior<Message> device(int index, TestMachine machine) {
      return Behaviors.receiveMessage(
          message -> {
            if (inside.incrementAndGet() != 1) {
              overlaps.incrementAndGet();
            }
            switch (message) {
              case Tick tick -> handle(index, machine, tick);
              case Io io -> io.exit().reply(io.value() + 1);
              default -> throw new IllegalArgumentException(message.toString());
            }
            inside.decrementAndGet();
            return Behaviors.same();
          });
    }

    private void handle(int index, TestMachine machine, Tick tick) {
      if (tickets) {
        if (tick.ticket() != lastTicket + 1) {
          outOfOrder.incrementAndGet();
        }
        lastTicket = tick.ticket();
      }
      if (tick.sequence() > 0) {
        if (tick.sequence() <= lastSequence[tick.sender()]) {
          outOfOrder.incrementAndGet();
        }
        lastSequence[tick.sender()] = tick.sequence();
      }
      if (tick.hops() > 0) {
        int to = (int) ((tick.sequence() * 31 + tick.hops() * 7L + index) & 7);
        tell(machine, to, 15, 0, tick.hops() - 1);
      }
      handled.incrementAndGet();
    }

    void sender(TestMachine machine, int me, int messages) {
      SplittableRandom random = new SplittableRandom(me);
      for (int i = 1; i <= messages; i++) {
        tell(machine, random.nextInt(8), me, i, random.nextInt(3));
        if (me < 2 && random.nextInt(4) == 0) {
          machine.io(me, random.nextInt(8), i);
          if (machine.exits[me].value() != i + 1) {
            outOfOrder.incrementAndGet();
          }
        }
        if (me >= 2 && (i & 1023) == 0) {
          LockSupport.parkNanos(100_000);
        }
      }
    }
  }

  /**
   * Deterministic schedule: what is sent from outside waits for settle, and nothing runs meanwhile.
   */
  @Test
  void aSteppedBoardIsDrainedByItsTurnsThreadOnly() throws Exception {
    List<Thread> drainers = new ArrayList<>();
    TestMachine machine =
        machines.machine(
            1,
            (index, m) ->
                Behaviors.receiveMessage(
                    message -> {
                      drainers.add(Thread.currentThread());
                      return Behaviors.same();
                    }),
            null);
    machine.board.settle();
    machine.board.stepped(true);
    for (int i = 0; i < 100; i++) {
      machine.devices.get(i & 7).tell(new Irq(i));
    }
    assertThat(machine.board.settled()).isFalse();
    assertThat(drainers).isEmpty();
    machine.board.settle();
    assertThat(machine.board.settled()).isTrue();
    assertThat(drainers).hasSize(100).containsOnly(Thread.currentThread());
    machine.board.stepped(false);
    assertThat(machine.stop()).isTrue();
  }
}
