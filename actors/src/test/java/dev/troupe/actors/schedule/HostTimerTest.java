package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No test here says when an alarm comes; only that it does, in which order, and that none is lost.
 */
@Timeout(120)
class HostTimerTest {
  /** So far off that no test sees it. */
  private static final long NEVER = TimeUnit.HOURS.toNanos(10);

  private static final long WAIT_SECONDS = 60;

  private final HostTimer timer = new HostTimer();
  private final BlockingQueue<String> fired = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    timer.close();
  }

  private HostTimer.Alarm alarm(String name) {
    return timer.alarm(() -> fired.add(name));
  }

  private String next() throws InterruptedException {
    return fired.poll(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * Holds the timer's thread until the latch opens, so that what is set meanwhile is due at once.
   */
  private CountDownLatch hold() throws InterruptedException {
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    timer
        .alarm(
            () -> {
              held.countDown();
              awaitQuietly(release);
            })
        .set(0);
    held.await();
    return release;
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1_000_000, -1, Long.MIN_VALUE})
  void anAlarmComesOnce(long nanosFromNow) throws Exception {
    alarm("a").set(nanosFromNow);
    assertThat(next()).isEqualTo("a");
    alarm("b").set(0);
    assertThat(next()).as("what comes after it").isEqualTo("b");
    assertThat(fired).isEmpty();
  }

  @Test
  void alarmsComeInTheOrderOfTheirTimesNotOfTheirSetting() throws Exception {
    CountDownLatch release = hold();
    alarm("third").set(3_000);
    alarm("first").set(-1_000_000_000);
    alarm("second").set(-500_000_000);
    release.countDown();
    assertThat(List.of(next(), next(), next())).containsExactly("first", "second", "third");
  }

  @Test
  void anAlarmEarlierThanTheOneSleptForWakesTheThread() throws Exception {
    alarm("late").set(NEVER);
    for (int i = 0; i < 1_000; i++) {
      alarm("early").set(0);
      assertThat(next()).as("round %d", i).isEqualTo("early");
    }
  }

  @Test
  void anAlarmThatIsTakenBackDoesNotCome() throws Exception {
    CountDownLatch release = hold();
    HostTimer.Alarm stopped = alarm("stopped");
    stopped.set(-1_000);
    alarm("kept").set(0);
    stopped.stop();
    stopped.stop();
    release.countDown();
    assertThat(next()).isEqualTo("kept");
    assertThat(fired).isEmpty();
  }

  @Test
  void stoppingOneThatWasNeverSetChangesNothing() throws Exception {
    alarm("never set").stop();
    alarm("kept").set(0);
    assertThat(next()).isEqualTo("kept");
  }

  @Test
  void anAlarmThatIsMovedComesOnceAtItsNewTime() throws Exception {
    CountDownLatch release = hold();
    HostTimer.Alarm moved = alarm("moved");
    moved.set(-2_000_000_000);
    moved.set(NEVER);
    moved.set(-500_000_000);
    alarm("before it").set(-1_000_000_000);
    release.countDown();
    assertThat(List.of(next(), next())).containsExactly("before it", "moved");
    assertThat(fired).isEmpty();
  }

  @Test
  void anAlarmMayBeSetAgainByItsOwnAction() throws Exception {
    AtomicInteger left = new AtomicInteger(1_000);
    CountDownLatch ended = new CountDownLatch(1);
    HostTimer.Alarm[] self = new HostTimer.Alarm[1];
    self[0] =
        timer.alarm(
            () -> {
              if (left.decrementAndGet() == 0) {
                ended.countDown();
              } else {
                self[0].set(0);
              }
            });
    self[0].set(0);
    assertThat(ended.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(left).hasValue(0);
  }

  @Test
  void aDistanceThatCannotBeAddedToTheClockIsFarOffAndNotPast() throws Exception {
    alarm("far").set(Long.MAX_VALUE);
    alarm("near").set(1_000_000);
    assertThat(next()).isEqualTo("near");
    assertThat(fired).isEmpty();
  }

  @Test
  void alarmsThatAreDueTogetherAllCome() throws Exception {
    CountDownLatch release = hold();
    Set<String> expected = ConcurrentHashMap.newKeySet();
    for (int i = 0; i < 1_000; i++) {
      expected.add("alarm " + i);
      alarm("alarm " + i).set(0);
    }
    release.countDown();
    Set<String> came = ConcurrentHashMap.newKeySet();
    for (int i = 0; i < 1_000; i++) {
      came.add(next());
    }
    assertThat(came).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"exception", "error"})
  void oneMachinesFailureDoesNotStopTheOthersTime(String kind) throws Exception {
    timer
        .alarm(
            () -> {
              if (kind.equals("error")) {
                throw new AssertionError("planted");
              }
              throw new IllegalStateException("planted");
            })
        .set(0);
    alarm("the other").set(1_000_000);
    assertThat(next()).isEqualTo("the other");
  }

  @Test
  void noAlarmIsLostWhileManyThreadsSetMoveAndStopTheirs() throws Exception {
    long seed = 0xA1A2;
    List<Thread> threads = new ArrayList<>();
    Set<String> lost = ConcurrentHashMap.newKeySet();
    for (int t = 0; t < 4; t++) {
      SplittableRandom random = new SplittableRandom(seed + t);
      String name = "seed " + (seed + t);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    BlockingQueue<Integer> mine = new LinkedBlockingQueue<>();
                    AtomicInteger round = new AtomicInteger();
                    HostTimer.Alarm alarm = timer.alarm(() -> mine.add(round.get()));
                    for (int r = 0; r < 2_000; r++) {
                      round.set(r);
                      for (int n = random.nextInt(4); n > 0; n--) {
                        alarm.set(random.nextLong(NEVER) + NEVER);
                        if (random.nextBoolean()) {
                          alarm.stop();
                        }
                      }
                      alarm.set(random.nextLong(20_000));
                      if (!comes(mine, r)) {
                        lost.add(name + " round " + r);
                        return;
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(lost).isEmpty();
  }

  private static boolean comes(BlockingQueue<Integer> queue, int round) {
    try {
      Integer came = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
      return came != null && came == round;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void anAlarmTakesOnePlaceHoweverOftenItIsSetAndNoneWhenItIsStopped() throws Exception {
    HostTimer.Alarm alarm = alarm("far");
    for (int i = 0; i < 100_000; i++) {
      alarm.set(NEVER + i);
    }
    assertThat(timer.pending()).isOne();
    alarm.stop();
    assertThat(timer.pending()).isZero();
    alarm("last").set(0);
    assertThat(next()).isEqualTo("last");
  }

  @Test
  void noActionRunsAfterTheTimerIsClosedAndTheThreadEnds() throws Exception {
    BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
    timer.alarm(() -> threads.add(Thread.currentThread())).set(0);
    Thread thread = threads.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    CountDownLatch release = hold();
    alarm("after the end").set(0);
    timer.close();
    release.countDown();
    assertThat(thread.join(Duration.ofSeconds(WAIT_SECONDS))).as("its thread has ended").isTrue();
    assertThat(fired).isEmpty();
  }
}
