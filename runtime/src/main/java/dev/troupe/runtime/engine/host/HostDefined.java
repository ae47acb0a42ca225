package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.memory.Raw;
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
    long hash = 0;
    try (Arena arena = Arena.ofConfined()) {
      long block = arena.allocate(16, 16).address();
      for (int sample = 0; sample < SAMPLES; sample++) {
        for (int opcode : new int[] {HostMath.RCPPS, HostMath.RSQRTPS}) {
          for (int lane = 0; lane < 4; lane++) {
            Raw.put32(block + 4L * lane, sample * STEP + lane * 0x1357);
          }
          HostMath.packed(opcode, block);
          hash = (hash ^ Raw.get64(block)) * 0x9E37_79B9_7F4A_7C15L;
          hash = (hash ^ hash >>> 29 ^ Raw.get64(block + 8)) * 0x9E37_79B9_7F4A_7C15L;
        }
      }
    }
    return hash;
  }
}
