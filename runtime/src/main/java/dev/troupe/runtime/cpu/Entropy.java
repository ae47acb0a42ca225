package dev.troupe.runtime.cpu;

/** Where RDRAND and RDSEED get their bits. A recorded machine journals them. */
@FunctionalInterface
public interface Entropy {
  /** 64 random bits. */
  long next();
}
