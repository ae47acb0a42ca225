package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vcpu.TurnMeter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TurnTimesTest {
  private static final long MICRO = 1000;
  private static final long MILLI = 1_000_000;

  private long wall = 77 * MILLI;
  private long processor = 5 * MILLI;
  private long questions;

  private final TurnTimes times =
      new TurnTimes(
          () -> wall,
          () -> {
            questions++;
            return processor;
          });

  /** A turn that lasts so long and has a processor for a part of that. */
  private void turn(TurnMeter meter, long nanos, long had) {
    meter.begin();
    wall += nanos;
    processor += had;
    meter.end();
  }

  @Test
  void aTurnThatHadItsThreadForAllOfItsTimeCountsWhole() {
    AtomicLong total = new AtomicLong();
    turn(times.into(total), 3 * MILLI, 3 * MILLI);

    assertThat(total).hasValue(3 * MILLI);
  }

  @Test
  void whatTheHostGaveToOthersMeanwhileIsNotCounted() {
    AtomicLong total = new AtomicLong();
    TurnMeter meter = times.into(total);
    for (int i = 0; i < 10; i++) {
      turn(meter, 8 * MILLI, 2 * MILLI);
    }

    assertThat(total).hasValue(20 * MILLI);
  }

  @Test
  void whatTheThreadDidBesideTurnsIsNobodys() {
    AtomicLong total = new AtomicLong();
    TurnMeter meter = times.into(total);
    turn(meter, 2 * MILLI, 2 * MILLI);
    wall += 50 * MILLI;
    processor += 50 * MILLI;
    turn(meter, 2 * MILLI, 2 * MILLI);

    assertThat(total).hasValue(4 * MILLI);
  }

  @Test
  void shortTurnsShareAQuestionByTheirLengths() {
    AtomicLong one = new AtomicLong();
    AtomicLong other = new AtomicLong();
    TurnMeter first = times.into(one);
    TurnMeter second = times.into(other);
    turn(first, MILLI, MILLI);
    long before = questions;
    for (int i = 0; i < 10; i++) {
      turn(first, 75 * MICRO, 75 * MICRO);
      turn(second, 25 * MICRO, 25 * MICRO);
    }

    assertThat(questions - before).isEqualTo(1);
    assertThat(one).hasValue(1750 * MICRO);
    assertThat(other).hasValue(250 * MICRO);
  }

  @Test
  void turnsOfNoLengthAreSettledInTheEnd() {
    AtomicLong total = new AtomicLong();
    TurnMeter meter = times.into(total);
    for (int i = 0; i < TurnTimes.WINDOW_TURNS; i++) {
      turn(meter, 10, 10);
    }

    assertThat(total).hasValue(10L * TurnTimes.WINDOW_TURNS);
  }

  @Test
  void whereNobodyKnowsAThreadsTimeTheWallClockCounts() {
    AtomicLong total = new AtomicLong();
    turn(new TurnTimes(() -> wall, () -> -1).into(total), 3 * MILLI, 0);

    assertThat(total).hasValue(3 * MILLI);
  }
}
