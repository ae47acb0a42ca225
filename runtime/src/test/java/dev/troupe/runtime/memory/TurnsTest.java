package dev.troupe.runtime.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TurnsTest {
  private final Turns turns = new Turns();

  @Test
  void aWaiterGoesOnWhenTheOtherHasPassedAPointAndNotBefore() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Turns.Turn other = turns.add(asked::countDown);
    Turns.Turn own = turns.add(() -> {});
    AtomicBoolean passed = new AtomicBoolean();
    CountDownLatch inside = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              other.begin();
              inside.countDown();
              awaitQuietly(asked);
              passed.set(true);
              other.pass();
            });
    thread.start();
    inside.await();
    own.begin();
    own.awaitOthers();
    assertThat(passed).isTrue();
    own.end();
    thread.join();
  }

  @Test
  void aVcpuBetweenTurnsIsNotWaitedFor() {
    Turns.Turn own = turns.add(() -> {});
    Turns.Turn ended =
        turns.add(
            () -> {
              throw new AssertionError("asked at rest");
            });
    ended.begin();
    ended.end();
    own.begin();
    own.awaitOthers();
    assertThat(own.mine()).isTrue();
  }

  @Test
  void twoThatWaitForEachOtherBothGoOn() throws Exception {
    Turns.Turn one = turns.add(() -> {});
    Turns.Turn other = turns.add(() -> {});
    Thread thread = new Thread(() -> waitOften(one));
    thread.start();
    waitOften(other);
    thread.join();
    assertThat(one.running() || other.running()).isFalse();
  }

  private static void waitOften(Turns.Turn turn) {
    for (int i = 0; i < 20_000; i++) {
      turn.begin();
      turn.awaitOthers();
      turn.pass();
      turn.end();
    }
  }

  @Test
  void whoIsAloneIsAlone() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger failures = new AtomicInteger();
    Runnable step =
        () -> {
          if (inside.incrementAndGet() != 1) {
            failures.incrementAndGet();
          }
          inside.decrementAndGet();
        };
    Thread[] threads = new Thread[3];
    for (int t = 0; t < threads.length; t++) {
      Turns.Turn turn = turns.add(() -> {});
      boolean exclusive = t > 0;
      threads[t] =
          new Thread(
              () -> {
                for (int i = 0; i < 10_000; i++) {
                  turn.begin();
                  if (exclusive) {
                    turn.alone(step);
                  } else {
                    step.run(); // guest code, without a point in it
                  }
                  turn.pass();
                  turn.end();
                }
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).hasValue(0);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
