package dev.troupe.actors.vcpu;

/**
 * What one vCPU has done, counted by its actor. Others read it when the vCPU is at rest, or take a
 * value that may be a turn old.
 */
public final class VcpuCounters {
  /**
   * Latencies are kept in buckets of an eighth of a power of two: at most 12.5 % wide, up to 2^40
   * ns.
   */
  private static final int BUCKETS_PER_POWER = 8;

  private static final int BUCKETS = 41 * BUCKETS_PER_POWER;

  /** One exit in so many is timed. */
  private static final int SAMPLING = 8;

  private final long[] exits = new long[ExitKind.values().length];
  private final long[] latencies = new long[BUCKETS];
  private long instructions;
  private long completed;
  private long unclaimed;
  private long messages;

  void exit(ExitKind kind) {
    exits[kind.ordinal()]++;
  }

  void retired(long units) {
    instructions += units;
  }

  /**
   * A synchronous exit has ended.
   *
   * @param sent messages to devices: 0 if nobody claims the address, more than 1 if the access was
   *     split
   */
  void completed(int sent) {
    completed++;
    messages += sent;
    unclaimed += sent == 0 ? 1 : 0;
  }

  /**
   * True if the exit that has just ended is one of those whose time is taken: reading a clock is a
   * quarter of an exit.
   */
  boolean isSample() {
    return completed % SAMPLING == 1;
  }

  /** How long that exit took. */
  void latency(long nanos) {
    latencies[bucket(Math.max(0, nanos))]++;
  }

  /** Exits of this kind. */
  public long exits(ExitKind kind) {
    return exits[kind.ordinal()];
  }

  /** Messages that this vCPU has sent to devices, and waited for. */
  public long messages() {
    return messages;
  }

  /** Exits to addresses that no device claims: they are answered without a message. */
  public long unclaimed() {
    return unclaimed;
  }

  /** Instructions retired, REP iterations and events delivered. */
  public long instructions() {
    return instructions;
  }

  /**
   * The latency in nanoseconds that this share of the synchronous exits did not exceed, to 12.5 %.
   *
   * @param share 0.5 for the median
   * @return 0 if there was none
   */
  public long latency(double share) {
    long all = 0;
    for (long count : latencies) {
      all += count;
    }
    long rank = (long) Math.ceil(all * share);
    long seen = 0;
    for (int i = 0; i < BUCKETS && all > 0; i++) {
      seen += latencies[i];
      if (seen >= rank) {
        return upperBound(i);
      }
    }
    return 0;
  }

  private static int bucket(long nanos) {
    if (nanos < BUCKETS_PER_POWER) {
      return (int) nanos;
    }
    int power = 63 - Long.numberOfLeadingZeros(nanos);
    int part = (int) (nanos >>> (power - 3)) & (BUCKETS_PER_POWER - 1);
    return Math.min(BUCKETS - 1, (power - 2) * BUCKETS_PER_POWER + part);
  }

  private static long upperBound(int bucket) {
    if (bucket < BUCKETS_PER_POWER) {
      return bucket;
    }
    int power = bucket / BUCKETS_PER_POWER + 2;
    long part = bucket % BUCKETS_PER_POWER + 1L;
    return (1L << power) + (part << (power - 3)) - 1;
  }

  /** Adds another vCPU's figures to these. */
  public void add(VcpuCounters other) {
    for (int i = 0; i < exits.length; i++) {
      exits[i] += other.exits[i];
    }
    for (int i = 0; i < BUCKETS; i++) {
      latencies[i] += other.latencies[i];
    }
    instructions += other.instructions;
    completed += other.completed;
    unclaimed += other.unclaimed;
    messages += other.messages;
  }
}
