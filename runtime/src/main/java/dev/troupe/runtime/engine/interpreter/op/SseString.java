package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/** SSE4.2's string comparisons (SDM vol. 1, 5.12.1; vol. 2, 4.1). */
public final class SseString {
  private static final int EQUAL_ANY = 0;
  private static final int RANGES = 1;
  private static final int EQUAL_EACH = 2;

  private SseString() {}

  @Meaning("PCMPESTRI")
  public static void pcmpestri(Cpu c, Insn i) {
    compare(c, i, true, true);
  }

  @Meaning("PCMPESTRM")
  public static void pcmpestrm(Cpu c, Insn i) {
    compare(c, i, true, false);
  }

  @Meaning("PCMPISTRI")
  public static void pcmpistri(Cpu c, Insn i) {
    compare(c, i, false, true);
  }

  @Meaning("PCMPISTRM")
  public static void pcmpistrm(Cpu c, Insn i) {
    compare(c, i, false, false);
  }

  private static void compare(Cpu c, Insn i, boolean explicit, boolean index) {
    if (i.memory) {
      Vectors.load(c, i, 128, false);
    }
    int first = i.reg;
    int second = i.memory ? Vectors.SLOT : i.rm;
    int control = (int) i.immediate;
    int count = (control & 1) != 0 ? 8 : 16;
    int firstLength =
        explicit ? length(c.gpr[Cpu.RAX], i, count) : length(c, first, control, count);
    int secondLength =
        explicit ? length(c.gpr[Cpu.RDX], i, count) : length(c, second, control, count);
    int found = aggregate(c, first, firstLength, second, secondLength, control, count);
    int result =
        switch (control >> 4 & 3) {
          case 1 -> ~found & (1 << count) - 1;
          case 3 -> found ^ (1 << secondLength) - 1;
          default -> found;
        };
    if (index) {
      int place =
          (control & 0x40) != 0
              ? 31 - Integer.numberOfLeadingZeros(result)
              : Integer.numberOfTrailingZeros(result);
      c.gpr[Cpu.RCX] = result == 0 ? count : place;
    } else {
      setMask(c, result, count, (control & 0x40) != 0);
    }
    long flags = result != 0 ? Rflags.CF : 0;
    flags |= secondLength < count ? Rflags.ZF : 0;
    flags |= firstLength < count ? Rflags.SF : 0;
    flags |= (result & 1) != 0 ? Rflags.OF : 0;
    Rflags.setArithmetic(c, flags);
  }

  /** The absolute value of a length register, at most all elements. */
  private static int length(long register, Insn i, int count) {
    long v = i.operandSize == 64 ? register : (int) register;
    return v <= -count || v >= count ? count : (int) Math.abs(v);
  }

  /** Elements before the first that is zero. */
  private static int length(Cpu c, int slot, int control, int count) {
    int n = 0;
    while (n < count && element(c, slot, n, control) != 0) {
      n++;
    }
    return n;
  }

  private static int element(Cpu c, int slot, int n, int control) {
    if ((control & 1) != 0) {
      long half = c.xmm[2 * slot + (n >> 2)];
      return (control & 2) != 0 ? Lanes.word(half, n & 3) : Lanes.wordUnsigned(half, n & 3);
    }
    int b = Lanes.byteUnsigned(c.xmm[2 * slot + (n >> 3)], n & 7);
    return (control & 2) != 0 ? (byte) b : b;
  }

  /**
   * A bit for each element of the second string; elements beyond a string's end compare as table
   * 4-4 says.
   */
  private static int aggregate(
      Cpu c, int first, int firstLength, int second, int secondLength, int control, int count) {
    int found = 0;
    int mode = control >> 2 & 3;
    for (int j = 0; j < count; j++) {
      boolean holds =
          switch (mode) {
            case EQUAL_ANY ->
                j < secondLength
                    && any(c, first, firstLength, element(c, second, j, control), control);
            case RANGES ->
                j < secondLength
                    && inRange(c, first, firstLength, element(c, second, j, control), control);
            case EQUAL_EACH ->
                j < firstLength && j < secondLength
                    ? element(c, first, j, control) == element(c, second, j, control)
                    : j >= firstLength && j >= secondLength;
            default -> ordered(c, first, firstLength, second, secondLength, j, control, count);
          };
      found |= holds ? 1 << j : 0;
    }
    return found;
  }

  private static boolean any(Cpu c, int slot, int length, int value, int control) {
    for (int n = 0; n < length; n++) {
      if (element(c, slot, n, control) == value) {
        return true;
      }
    }
    return false;
  }

  private static boolean inRange(Cpu c, int slot, int length, int value, int control) {
    for (int n = 0; n + 1 < length; n += 2) {
      if (value >= element(c, slot, n, control) && value <= element(c, slot, n + 1, control)) {
        return true;
      }
    }
    return false;
  }

  private static boolean ordered(
      Cpu c,
      int first,
      int firstLength,
      int second,
      int secondLength,
      int start,
      int control,
      int count) {
    for (int n = 0; n < firstLength && start + n < count; n++) {
      if (start + n >= secondLength
          || element(c, first, n, control) != element(c, second, start + n, control)) {
        return false;
      }
    }
    return true;
  }

  /** XMM0 gets the bits, or an element of ones for each. */
  private static void setMask(Cpu c, int result, int count, boolean expand) {
    long low = result;
    long high = 0;
    if (expand) {
      low = 0;
      int width = 128 / count;
      for (int n = 0; n < count; n++) {
        long ones = (result >> n & 1) != 0 ? (1L << width) - 1 << n * width : 0;
        if (n < count / 2) {
          low |= ones;
        } else {
          high |= ones;
        }
      }
    }
    c.xmm[0] = low;
    c.xmm[1] = high;
  }
}
