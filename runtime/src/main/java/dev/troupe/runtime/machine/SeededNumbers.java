package dev.troupe.runtime.machine;

import dev.troupe.runtime.cpu.Entropy;
import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * Numbers that follow from a seed: the slice lengths of a deterministic schedule, and what its
 * guest gets for entropy. SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014): one word of state, every value once in a period.
 */
public final class SeededNumbers implements Entropy, Stateful {
  private static final long GAMMA = 0x9E37_79B9_7F4A_7C15L;

  /** {@link #GAMMA}'s inverse modulo 2^64. */
  private static final long INVERSE = 0xF1DE_83E1_9937_733DL;

  private final long seed;
  private long state;

  /** The numbers of this seed. */
  public SeededNumbers(long seed) {
    this.seed = seed;
    state = seed;
  }

  /** The numbers of this seed behind the first so many. */
  public static SeededNumbers after(long drawn, long seed) {
    SeededNumbers numbers = new SeededNumbers(seed);
    numbers.state += drawn * GAMMA;
    return numbers;
  }

  /** How many numbers have been drawn. */
  public long drawn() {
    return (state - seed) * INVERSE;
  }

  @Override
  public long next() {
    state += GAMMA;
    long z = state;
    z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
    return z ^ z >>> 31;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    state = v.int64("state", state);
  }

  /** A number from 1 to {@code most}, each about equally likely. */
  public int upTo(int most) {
    return (int) Long.remainderUnsigned(next(), most) + 1;
  }
}
