package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateHasher;
import java.lang.foreign.Arena;

/** How this host answers where the architecture leaves the answer to the processor. */
public final class HostDefined {
  /** Four at a time, over all mantissas' upper bits, of which the estimates are made. */
  private static final int SAMPLES = 4096;

  private static final int STEP = 0x7F00_0000 / SAMPLES;

  private HostDefined() {}

  /**
   * A hash of what RCPPS and RSQRTPS give for samples of all magnitudes; 0 where there is no stub
   * and results are computed portably.
   */
  public static long fingerprint() {
    if (!HostStub.available()) {
      return 0;
    }
    StateHasher hasher = new StateHasher();
    try (Arena arena = Arena.ofConfined()) {
      long block = arena.allocate(16, 16).address();
      for (int sample = 0; sample < SAMPLES; sample++) {
        for (int opcode : new int[] {HostMath.RCPPS, HostMath.RSQRTPS}) {
          for (int lane = 0; lane < 4; lane++) {
            Raw.put32(block + 4L * lane, sample * STEP + lane * 0x1357);
          }
          HostMath.packed(opcode, block);
          hasher.int64("low", Raw.get64(block));
          hasher.int64("high", Raw.get64(block + 8));
        }
      }
    }
    return hasher.value();
  }
}
