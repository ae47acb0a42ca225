package dev.troupe.runtime.snapshot;

import dev.troupe.runtime.memory.DirtyLog;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;

/**
 * A 64-bit digest of all guest RAM, kept up with the pages written since the last time. It is a sum
 * over the pages, each mixed with its number, so that their order of change does not matter; a page
 * of zeroes counts 0, whether it was ever touched or not. A change within one page alone always
 * changes the digest. Not a defence against somebody who looks for collisions.
 *
 * <p>Only used at quiet points, by one thread at a time.
 */
public final class MemoryDigest {
  private static final int LANES = 4;

  /** Odd, so that multiplying is a bijection; the fraction of the golden ratio. */
  private static final long FACTOR = 0x9E37_79B9_7F4A_7C15L;

  private static final int TURN = 29;

  private static final long LANE_0 = 0x243F_6A88_85A3_08D3L;
  private static final long LANE_1 = 0x1319_8A2E_0370_7344L;
  private static final long LANE_2 = 0xA409_3822_299F_31D0L;
  private static final long LANE_3 = 0x082E_FA98_EC4E_6C89L;

  private static final long ZEROES = zeroes();

  private final GuestMemory memory;
  private final DirtyLog log;

  /** Eight bytes a page, outside the heap and sparse: what the page adds to the sum. */
  private final long added;

  private long sum;

  /** A digest of this memory; the first {@link #value()} reads every page that was ever written. */
  public MemoryDigest(GuestMemory memory) {
    this.memory = memory;
    this.added = memory.mapBeside(memory.pages() * Long.BYTES);
    this.log = memory.openDirtyLog();
  }

  /** The digest of what the memory holds now. */
  public long value() {
    log.drain(
        new DirtyLog.Reader() {
          @Override
          public void zeroed() {
            forget();
          }

          @Override
          public void written(long page) {
            update(page);
          }
        });
    return sum;
  }

  private void forget() {
    sum = 0;
    for (long page = 0; page < memory.pages(); page++) {
      // Reading does not make a sparse page real; writing would.
      if (Raw.get64(added + page * Long.BYTES) != 0) {
        Raw.put64(added + page * Long.BYTES, 0);
      }
    }
  }

  private void update(long page) {
    long slot = added + page * Long.BYTES;
    long now = contribution(page, memory.pageAddress(page));
    long before = Raw.get64(slot);
    if (now != before) {
      sum += now - before;
      Raw.put64(slot, now);
    }
  }

  /** The digest computed from all pages, for tests of the incremental one. */
  static long ofAll(GuestMemory memory) {
    long sum = 0;
    for (long page = 0; page < memory.pages(); page++) {
      sum += contribution(page, memory.pageAddress(page));
    }
    return sum;
  }

  /**
   * What a page adds to the digest: 0 for zeroes.
   *
   * @param page its number
   * @param host where its content is
   */
  static long contribution(long page, long host) {
    long key = Mix.mix(page + 1);
    return Mix.mix(content(host) ^ key) - Mix.mix(ZEROES ^ key);
  }

  /** Each word goes into one of several lanes, which the processor computes side by side. */
  private static long content(long host) {
    long a = LANE_0;
    long b = LANE_1;
    long c = LANE_2;
    long d = LANE_3;
    long end = host + GuestMemory.PAGE_SIZE;
    for (long at = host; at < end; at += LANES * Long.BYTES) {
      a = step(a, Raw.get64(at));
      b = step(b, Raw.get64(at + 8));
      c = step(c, Raw.get64(at + 16));
      d = step(d, Raw.get64(at + 24));
    }
    return combine(a, b, c, d);
  }

  private static long zeroes() {
    long a = LANE_0;
    long b = LANE_1;
    long c = LANE_2;
    long d = LANE_3;
    for (int i = 0; i < GuestMemory.PAGE_SIZE; i += LANES * Long.BYTES) {
      a = step(a, 0);
      b = step(b, 0);
      c = step(c, 0);
      d = step(d, 0);
    }
    return combine(a, b, c, d);
  }

  /** A bijection of the lane, and of the word. */
  private static long step(long lane, long word) {
    return Long.rotateLeft((lane ^ word) * FACTOR, TURN);
  }

  /** A bijection of each lane. */
  private static long combine(long a, long b, long c, long d) {
    return Mix.mix(Mix.mix(Mix.mix(Mix.mix(a) ^ b) ^ c) ^ d);
  }
}
