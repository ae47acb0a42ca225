package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HaltPollTest {
  private final HaltPoll poll = new HaltPoll();
  private long now = 1000;

  /** A halt of so many nanoseconds; gives how long the look-out was. */
  private long halt(long nanos) {
    long window = poll.halted(now) - now;
    now += nanos;
    poll.goesOn(now);
    return window;
  }

  @Test
  void shortHaltsMakeTheLookOutLongEnoughAndNoLonger() {
    assertThat(halt(30_000)).isZero();
    assertThat(halt(30_000)).isEqualTo(HaltPoll.FIRST);
    assertThat(halt(30_000)).isEqualTo(2 * HaltPoll.FIRST);
    assertThat(halt(30_000)).isEqualTo(4 * HaltPoll.FIRST);
    assertThat(halt(30_000)).isEqualTo(4 * HaltPoll.FIRST);
  }

  @Test
  void aLongHaltEndsIt() {
    halt(30_000);
    halt(30_000);
    halt(HaltPoll.MOST + 1);
    assertThat(halt(1)).isZero();
  }

  @Test
  void itHasALimit() {
    for (int n = 0; n < 64; n++) {
      assertThat(halt(HaltPoll.MOST)).isLessThanOrEqualTo(HaltPoll.MOST);
    }
    assertThat(halt(0)).isEqualTo(HaltPoll.MOST);
  }

  @Test
  void aLookOutThatStoodStillIsTheLastForAWhile() {
    halt(30_000);
    assertThat(poll.halted(now) - now).isEqualTo(HaltPoll.FIRST);
    poll.looks(now + 100);
    now += 100 + HaltPoll.STILL + 1;
    poll.looks(now);
    poll.goesOn(now);
    for (int n = 1; n < HaltPoll.BUSY_HALTS; n++) {
      assertThat(halt(30_000)).isZero();
    }
    halt(30_000);
    assertThat(halt(30_000)).isEqualTo(HaltPoll.FIRST);
  }

  @Test
  void goingOnWithoutAHaltChangesNothing() {
    halt(30_000);
    now += 10 * HaltPoll.MOST;
    poll.goesOn(now);
    assertThat(halt(1)).isEqualTo(HaltPoll.FIRST);
  }
}
