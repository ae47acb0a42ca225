package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MultiplyTest {
  @Test
  void quotientsOf128BitsAreExact() {
    SplittableRandom random = new SplittableRandom(7);
    for (int n = 0; n < 200_000; n++) {
      long d = edge(random);
      long high = d == 0 ? 0 : Long.remainderUnsigned(edge(random), d);
      long low = edge(random);
      if (d == 0) {
        continue;
      }
      BigInteger dividend = unsigned(high).shiftLeft(64).add(unsigned(low));
      assertThat(Multiply.divide128(high, low, d))
          .as("seed 7, case %d: %x:%x / %x", n, high, low, d)
          .isEqualTo(dividend.divide(unsigned(d)).longValue());
    }
  }

  /** Random bits, often close to a power of two: where digits of the quotient are guessed wrong. */
  private static long edge(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextLong();
      case 1 -> random.nextLong() >>> random.nextInt(64);
      case 2 -> (1L << random.nextInt(64)) + random.nextInt(3) - 1;
      default -> -1L << random.nextInt(64) | random.nextInt(3);
    };
  }

  private static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }
}
