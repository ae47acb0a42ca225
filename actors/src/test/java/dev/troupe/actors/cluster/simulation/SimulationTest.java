package dev.troupe.actors.cluster.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a cluster of nodes keeps under faults. {@code -Dsimulation.seeds=N} tries more seeds, {@code
 * -Dsimulation.from=S} begins with another.
 */
class SimulationTest {
  private static final long FIRST = Long.getLong("simulation.from", 1);
  private static final int SEEDS = Integer.getInteger("simulation.seeds", 40);

  /** Simulated seconds of faults. */
  private static final long SECONDS = 300;

  /** Seeds after which a planted bug counts as not found. */
  private static final int TRIES = 60;

  private static void live(long seed, Bug bug) {
    try {
      new Simulation(seed, bug).run(SECONDS);
    } catch (Simulation.Broken | IllegalStateException e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }

  @Test
  void thereIsOneMachineOneOutcomeNoLossAndPeaceInTheEnd() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      live(seed, Bug.NONE);
    }
  }

  @Test
  void theSameSeedIsTheSameLife() {
    Simulation one = new Simulation(FIRST, Bug.NONE);
    one.run(SECONDS);
    Simulation other = new Simulation(FIRST, Bug.NONE);
    other.run(SECONDS);

    assertThat(other.clock.steps()).isEqualTo(one.clock.steps()).isGreaterThan(10_000);
    assertThat(other.changes).isEqualTo(one.changes).isGreaterThan(100);
    assertThat(one.clients.commands()).isGreaterThan(100);
  }

  @ParameterizedTest
  @EnumSource(value = Bug.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aPlantedBugIsFound(Bug bug) {
    for (long seed = FIRST; seed < FIRST + TRIES; seed++) {
      try {
        new Simulation(seed, bug).run(SECONDS);
      } catch (Simulation.Broken found) {
        return;
      }
    }
    throw new AssertionError(bug + " is not found by " + TRIES + " seeds");
  }
}
