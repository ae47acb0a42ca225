package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MachineClockTest {
  /** The host's monotonic clock: from any origin, negative ones too. */
  private final AtomicLong host = new AtomicLong(1_000);

  private final MachineClock clock = new MachineClock(host::get);

  @Test
  void standsAtZeroUntilItIsStarted() {
    assertThat(clock.running()).isFalse();
    assertThat(clock.nanos()).isZero();
    host.addAndGet(5_000);
    assertThat(clock.nanos()).isZero();
    clock.start();
    assertThat(clock.running()).isTrue();
    assertThat(clock.nanos()).isZero();
  }

  @Test
  void runsAsTheHostsClockDoes() {
    clock.start();
    host.addAndGet(7);
    assertThat(clock.nanos()).isEqualTo(7);
    host.addAndGet(1_000_000_000_000L);
    assertThat(clock.nanos()).isEqualTo(1_000_000_000_007L);
  }

  @Test
  void aPauseTakesNoVirtualTime() {
    clock.start();
    host.addAndGet(100);
    clock.stop();
    host.addAndGet(1_000_000);
    assertThat(clock.running()).isFalse();
    assertThat(clock.nanos()).isEqualTo(100);
    clock.start();
    assertThat(clock.nanos()).isEqualTo(100);
    host.addAndGet(1);
    assertThat(clock.nanos()).isEqualTo(101);
  }

  @Test
  void startingAClockThatRunsAndStoppingOneThatStandsChangeNothing() {
    clock.stop();
    assertThat(clock.nanos()).isZero();
    clock.start();
    host.addAndGet(50);
    clock.start();
    assertThat(clock.nanos()).isEqualTo(50);
    clock.stop();
    host.addAndGet(50);
    clock.stop();
    assertThat(clock.nanos()).isEqualTo(50);
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE - 10, Long.MAX_VALUE})
  void theHostsClockMayStartAnywhereAndWrap(long origin) {
    host.set(origin);
    clock.start();
    host.addAndGet(100);
    assertThat(clock.nanos()).isEqualTo(100);
    clock.stop();
    host.addAndGet(1L << 62);
    clock.start();
    host.addAndGet(20);
    assertThat(clock.nanos()).isEqualTo(120);
  }

  @Test
  void aDeadlineIsAsFarOffAsTheClockHasToRun() {
    clock.start();
    host.addAndGet(100);
    assertThat(clock.hostNanosUntil(250)).isEqualTo(150);
    assertThat(clock.hostNanosUntil(100)).isZero();
    assertThat(clock.hostNanosUntil(99)).as("one that has passed").isZero();
    assertThat(clock.hostNanosUntil(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE - 100);
  }

  @Test
  void noDeadlineComesWhileTheClockStands() {
    assertThat(clock.hostNanosUntil(0)).isEqualTo(Long.MAX_VALUE);
    clock.start();
    host.addAndGet(10);
    clock.stop();
    assertThat(clock.hostNanosUntil(5)).isEqualTo(Long.MAX_VALUE);
    assertThat(clock.hostNanosUntil(1_000)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void virtualTimeIsTheSumOfWhatItRanHoweverItIsPaused() {
    long seed = 0xC10C;
    SplittableRandom random = new SplittableRandom(seed);
    long expected = 0;
    for (int step = 0; step < 10_000; step++) {
      long passed = random.nextLong(1_000_000);
      host.addAndGet(passed);
      expected += clock.running() ? passed : 0;
      assertThat(clock.nanos()).as("seed %d step %d", seed, step).isEqualTo(expected);
      switch (random.nextInt(3)) {
        case 0 -> clock.start();
        case 1 -> clock.stop();
        default -> {}
      }
    }
  }

  /** A reader is given a later time than the one that the clock is about to be stopped at. */
  @Test
  void doesNotGoBackForWhoeverReadsItWhileItIsStopped() throws Exception {
    AtomicLong seen = new AtomicLong();
    MachineClock[] own = new MachineClock[1];
    Thread[] reader = new Thread[1];
    Thread stopper = Thread.currentThread();
    AtomicBoolean stopping = new AtomicBoolean();
    own[0] =
        new MachineClock(
            () -> {
              long time = host.get();
              if (stopping.get() && Thread.currentThread() == stopper) {
                host.addAndGet(50);
                reader[0] = Thread.ofPlatform().start(() -> seen.set(own[0].nanos()));
                while (reader[0].isAlive() && reader[0].getState() != Thread.State.BLOCKED) {
                  Thread.onSpinWait();
                }
              }
              return time;
            });
    own[0].start();
    host.addAndGet(100);
    stopping.set(true);
    own[0].stop();
    reader[0].join();
    assertThat(own[0].nanos()).isGreaterThanOrEqualTo(seen.get());
  }

  @Test
  void neverGoesBackForAReaderWhileAnotherThreadPausesIt() throws Exception {
    MachineClock real = new MachineClock();
    AtomicBoolean end = new AtomicBoolean();
    AtomicLong back = new AtomicLong();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  long last = 0;
                  while (!end.get()) {
                    long now = real.nanos();
                    if (now < last) {
                      back.set(last - now);
                    }
                    last = now;
                  }
                });
    for (int i = 0; i < 50_000; i++) {
      real.start();
      real.stop();
    }
    end.set(true);
    reader.join();
    assertThat(back).as("nanoseconds it went back").hasValue(0);
  }
}
