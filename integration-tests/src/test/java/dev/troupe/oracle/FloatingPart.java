package dev.troupe.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * Floating-point instructions of a {@link SequenceProgram}: mostly x87 ones in all their forms, and
 * between them MMX, which shares the registers, and SSE. Their first values are ordinary numbers
 * and others.
 */
final class FloatingPart {
  private static final int ST = 32;
  private static final int XMM = 160;
  private static final int ALL_MASKED = 0x3F;

  /** Second bytes of register forms that are defined, a range each, after D8 to DF. */
  private static final int[][] REGISTER_FORMS = {
    {0xC0, 0xFF},
    {0xC0, 0xD0, 0xE0, 0xE1, 0xE4, 0xE5, 0xE8, 0xEE, 0xF0, 0xFF},
    {0xC0, 0xDF, 0xE9, 0xE9},
    {0xC0, 0xDF, 0xE2, 0xE4, 0xE8, 0xF7},
    {0xC0, 0xCF, 0xE0, 0xFF},
    {0xC0, 0xC7, 0xD0, 0xEF},
    {0xC0, 0xCF, 0xD9, 0xD9, 0xE0, 0xFF},
    {0xC0, 0xC7, 0xE0, 0xE0, 0xE8, 0xF7},
  };

  /** ModRM.reg of memory forms, without FLDCW, FRSTOR and FLDENV, which might unmask. */
  private static final int[][] MEMORY_FORMS = {
    {0, 1, 2, 3, 4, 5, 6, 7},
    {0, 2, 3, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 5, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
  };

  private final SplittableRandom random;

  /** Fills x87 and vector registers. */
  FloatingPart(SplittableRandom random, byte[] fx) {
    this.random = random;
    ByteBuffer b = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    int[] control = control();
    b.put(0, (byte) control[0]).put(1, (byte) control[1]);
    b.putShort(2, (short) (random.nextInt(8) << 11));
    b.put(4, (byte) (random.nextBoolean() ? random.nextInt(256) : 0));
    for (int n = 0; n < 8; n++) {
      b.putLong(ST + 16 * n, random.nextLong() | (random.nextInt(8) == 0 ? 0 : Long.MIN_VALUE));
      boolean ordinary = random.nextInt(4) != 0;
      int exponent = ordinary ? 0x3FF0 + random.nextInt(32) : random.nextInt(0x8000);
      b.putShort(ST + 16 * n + 8, (short) (exponent | random.nextInt(2) << 15));
    }
    for (int n = 0; n < 32; n++) {
      b.putLong(XMM + 8 * n, Double.doubleToRawLongBits(random.nextDouble(-9, 9)));
    }
  }

  /** Two bytes of a control word. */
  int[] control() {
    int masks = random.nextInt(8) == 0 ? random.nextInt(64) : ALL_MASKED;
    return new int[] {masks | random.nextInt(4) << 6, random.nextInt(32)};
  }

  /** Opcode and ModRM.reg of an instruction with an operand in memory. */
  int[] onMemory() {
    int opcode = random.nextInt(8);
    int[] digits = MEMORY_FORMS[opcode];
    return new int[] {0xD8 + opcode, digits[random.nextInt(digits.length)]};
  }

  /** An instruction on registers. */
  int[] onRegisters() {
    int r = 0xC0 | random.nextInt(64);
    return switch (random.nextInt(16)) {
      case 0 -> new int[] {0x9B}; // fwait
      case 1 -> new int[] {0x0F, 0xFE, r}; // paddd mm
      case 2 -> new int[] {0x0F, 0x77}; // emms
      case 3 -> new int[] {0xF2, 0x0F, 0x58, r}; // addsd
      case 4 -> new int[] {0xF2, 0x0F, 0x2A, r & ~0x20}; // cvtsi2sd
      case 5 -> new int[] {0x66, 0x0F, 0xFE, r}; // paddd xmm
      default -> x87();
    };
  }

  private int[] x87() {
    int opcode = random.nextInt(8);
    int[] ranges = REGISTER_FORMS[opcode];
    int range = 2 * random.nextInt(ranges.length / 2);
    return new int[] {0xD8 + opcode, random.nextInt(ranges[range], ranges[range + 1] + 1)};
  }
}
