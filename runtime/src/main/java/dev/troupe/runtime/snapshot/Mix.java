package dev.troupe.runtime.snapshot;

/**
 * A strong bijection of 64 bits: each bit of the argument flips each of the result's in half of all
 * cases.
 */
final class Mix {
  private Mix() {}

  /** David Stafford's variant 13 of MurmurHash3's finalizer. */
  static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return z ^ (z >>> 31);
  }
}
