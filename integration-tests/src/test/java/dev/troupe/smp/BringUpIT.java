package dev.troupe.smp;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A few of the starts that bin/bring-up makes by the hundred. */
class BringUpIT {
  @ParameterizedTest
  @CsvSource({"2, 1", "2, 2", "4, 3", "4, 4", "8, 5"})
  void eachSeedHasOneHistoryInWhichLinuxBringsItsProcessorsUp(int cpus, long seed)
      throws Exception {
    BringUp.debian(cpus).twice(seed); // checks for itself
  }
}
