package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM vol. 1, 12.3 and vol. 2B, 4.1). */
public final class SseStrings {
  // The immediate's fields.
  private static final int WORDS = 1;
  private static final int SIGNED = 2;
  private static final int EQUAL_ANY = 0;
  private static final int RANGES = 1;
  private static final int EQUAL_EACH = 2;
  private static final int NEGATED = 1 << 4;
  private static final int MASKED = 1 << 5;
  private static final int MOST_SIGNIFICANT = 1 << 6;
  private static final int EXPANDED = 1 << 6;

  private SseStrings() {}

  @Meaning(value = "PCMPISTRI", flow = Flow.NEXT)
  public static void pcmpistri(Cpu c, Insn i) {
    int from = operand(c, i);
    index(c, (int) i.immediate, compare(c, i, from, implicit(c, i, i.reg), implicit(c, i, from)));
  }

  @Meaning(value = "PCMPISTRM", flow = Flow.NEXT)
  public static void pcmpistrm(Cpu c, Insn i) {
    int from = operand(c, i);
    mask(c, (int) i.immediate, compare(c, i, from, implicit(c, i, i.reg), implicit(c, i, from)));
  }

  @Meaning(value = "PCMPESTRI", flow = Flow.NEXT)
  public static void pcmpestri(Cpu c, Insn i) {
    int from = operand(c, i);
    index(
        c,
        (int) i.immediate,
        compare(c, i, from, explicit(c, i, Cpu.RAX), explicit(c, i, Cpu.RDX)));
  }

  @Meaning(value = "PCMPESTRM", flow = Flow.NEXT)
  public static void pcmpestrm(Cpu c, Insn i) {
    int from = operand(c, i);
    mask(
        c,
        (int) i.immediate,
        compare(c, i, from, explicit(c, i, Cpu.RAX), explicit(c, i, Cpu.RDX)));
  }

  private static int operand(Cpu c, Insn i) {
    if (!i.memory) {
      return i.rm;
    }
    Vectors.load(c, i, 128, false);
    return Vectors.SLOT;
  }

  private static int elements(int control) {
    return (control & WORDS) != 0 ? 8 : 16;
  }

  /** Element {@code n}, extended as the immediate says. */
  private static int element(Cpu c, int slot, int n, int control) {
    if ((control & WORDS) != 0) {
      long bits = c.xmm[2 * slot + (n >> 2)] >>> (16 * (n & 3));
      return (control & SIGNED) != 0 ? (short) bits : (int) bits & 0xFFFF;
    }
    long bits = c.xmm[2 * slot + (n >> 3)] >>> (8 * (n & 7));
    return (control & SIGNED) != 0 ? (byte) bits : (int) bits & 0xFF;
  }

  /** Length of a string that ends with a zero element. */
  private static int implicit(Cpu c, Insn i, int slot) {
    int control = (int) i.immediate;
    int length = 0;
    while (length < elements(control) && element(c, slot, length, control) != 0) {
      length++;
    }
    return length;
  }

  /** Length that a register gives: its absolute value, at most the number of elements. */
  private static int explicit(Cpu c, Insn i, int register) {
    long value = (i.rex & 8) != 0 ? c.gpr[register] : (int) c.gpr[register];
    int most = elements((int) i.immediate);
    return value > -most && value < most ? (int) Math.abs(value) : most;
  }

  /** The result's bits; sets the flags. */
  private static int compare(Cpu c, Insn i, int from, int firstLength, int secondLength) {
    int control = (int) i.immediate;
    int n = elements(control);
    int result = 0;
    for (int k = 0; k < n; k++) {
      if (aggregate(c, i.reg, from, control, k, firstLength, secondLength)) {
        result |= 1 << k;
      }
    }
    if ((control & NEGATED) != 0) {
      result ^= (control & MASKED) != 0 ? (1 << secondLength) - 1 : (1 << n) - 1;
    }
    Flags.setZero(c, secondLength < n);
    c.flagSign = firstLength < n ? Long.MIN_VALUE | 1 : 1; // PF clear
    Flags.carryOverflow(c, result != 0, (result & 1) != 0);
    c.flagAux = 0;
    return result;
  }

  private static boolean aggregate(
      Cpu c, int first, int second, int control, int k, int firstLength, int secondLength) {
    int n = elements(control);
    int kind = control >> 2 & 3;
    if (kind == EQUAL_EACH) {
      return (k < firstLength && k < secondLength)
          ? element(c, first, k, control) == element(c, second, k, control)
          : k >= firstLength && k >= secondLength;
    }
    if (kind == EQUAL_ANY || kind == RANGES) {
      if (k >= secondLength) {
        return false;
      }
      int value = element(c, second, k, control);
      int step = kind == RANGES ? 2 : 1;
      for (int j = 0; j + step <= firstLength; j += step) {
        int low = element(c, first, j, control);
        if (step == 1 ? value == low : value >= low && value <= element(c, first, j + 1, control)) {
          return true;
        }
      }
      return false;
    }
    // Equal ordered: the first string is looked for from element k of the second on.
    for (int j = 0; j < n - k && j < firstLength; j++) {
      if (k + j >= secondLength
          || element(c, first, j, control) != element(c, second, k + j, control)) {
        return false;
      }
    }
    return true;
  }

  private static void index(Cpu c, int control, int result) {
    int at = elements(control);
    if (result != 0) {
      at =
          (control & MOST_SIGNIFICANT) != 0
              ? 31 - Integer.numberOfLeadingZeros(result)
              : Integer.numberOfTrailingZeros(result);
    }
    c.gpr[Cpu.RCX] = at;
  }

  private static void mask(Cpu c, int control, int result) {
    c.xmm[0] = result;
    c.xmm[1] = 0;
    if ((control & EXPANDED) == 0) {
      return;
    }
    int bits = (control & WORDS) != 0 ? 16 : 8;
    int half = 64 / bits;
    c.xmm[0] = expand(result, half, bits);
    c.xmm[1] = expand(result >>> half, half, bits);
  }

  private static long expand(int bits, int count, int width) {
    long value = 0;
    for (int k = 0; k < count; k++) {
      if ((bits >>> k & 1) != 0) {
        value |= Flags.mask(width) << (k * width);
      }
    }
    return value;
  }
}
