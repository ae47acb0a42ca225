package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.util.Arrays;

/**
 * The memory type range registers (Intel SDM vol. 3A, 12.11). They hold what the guest writes and
 * check it; all guest memory is cached alike.
 */
final class Mtrrs implements Stateful {
  private static final int VARIABLE = 8;

  /** MTRRCAP: eight variable ranges, fixed ranges, write-combining. */
  static final long CAPABILITIES = VARIABLE | 1 << 8 | 1 << 10;

  private static final int FIRST_VARIABLE = 0x200;
  private static final int DEFAULT_TYPE = 0x2FF;

  /**
   * MTRRs on, all memory write-back: what firmware leaves, and kernels are started here without
   * one.
   */
  private static final long WRITE_BACK_ENABLED = 1 << 11 | 6;

  private static final int[] FIXED = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E, 0x26F
  };

  private final int physicalBits;
  private final long[] variable = new long[2 * VARIABLE];
  private final long[] fixed = new long[FIXED.length];
  private long defaultType;

  Mtrrs(int physicalBits) {
    this.physicalBits = physicalBits;
  }

  void reset() {
    Arrays.fill(variable, 0);
    Arrays.fill(fixed, 0x0606_0606_0606_0606L);
    defaultType = WRITE_BACK_ENABLED;
  }

  /** True if the MSR is one of these. */
  static boolean holds(int msr) {
    return (msr >= FIRST_VARIABLE && msr < FIRST_VARIABLE + 2 * VARIABLE)
        || msr == DEFAULT_TYPE
        || Arrays.binarySearch(FIXED, msr) >= 0;
  }

  long read(int msr) {
    if (msr == DEFAULT_TYPE) {
      return defaultType;
    }
    if (msr < FIRST_VARIABLE + 2 * VARIABLE) {
      return variable[msr - FIRST_VARIABLE];
    }
    return fixed[Arrays.binarySearch(FIXED, msr)];
  }

  /** False for #GP: an unknown type or a reserved bit. */
  boolean write(int msr, long value) {
    if (msr == DEFAULT_TYPE) {
      if (!isType((int) value & 0xFF) || (value & ~0xCFFL) != 0) {
        return false;
      }
      defaultType = value;
      return true;
    }
    if (msr < FIRST_VARIABLE + 2 * VARIABLE) {
      boolean base = (msr & 1) == 0;
      long reserved = ~(-1L >>> (64 - physicalBits)) | (base ? 0xF00 : 0x7FF);
      if ((value & reserved) != 0 || (base && !isType((int) value & 0xFF))) {
        return false;
      }
      variable[msr - FIRST_VARIABLE] = value;
      return true;
    }
    for (int i = 0; i < 64; i += 8) {
      if (!isType((int) (value >>> i) & 0xFF)) {
        return false;
      }
    }
    fixed[Arrays.binarySearch(FIXED, msr)] = value;
    return true;
  }

  /** UC, WC, WT, WP, WB. */
  private static boolean isType(int type) {
    return type == 0 || type == 1 || (type >= 4 && type <= 6);
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.longs("variable", variable);
    v.longs("fixed", fixed);
    defaultType = v.int64("defaultType", defaultType);
  }
}
