package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Bitwise logic, BMI1 and BMI2's bit-field instructions. */
public final class Logic {
  private Logic() {}

  @Meaning("AND")
  public static long and(Cpu c, long a, long b, int size) {
    Flags.logic(c, a & b, size);
    return a & b;
  }

  @Meaning("OR")
  public static long or(Cpu c, long a, long b, int size) {
    Flags.logic(c, a | b, size);
    return a | b;
  }

  @Meaning("XOR")
  public static long xor(Cpu c, long a, long b, int size) {
    Flags.logic(c, a ^ b, size);
    return a ^ b;
  }

  @Meaning("TEST")
  public static void test(Cpu c, long a, long b, int size) {
    Flags.logic(c, a & b, size);
  }

  @Meaning("NOT")
  public static long not(Cpu c, long a, int size) {
    return ~a;
  }

  @Meaning("ANDN")
  public static long andn(Cpu c, long a, long b, int size) {
    return bits(c, ~a & b, false, size);
  }

  /** Extracts {@code b[15:8]} bits from bit {@code b[7:0]} on. */
  @Meaning("BEXTR")
  public static long bextr(Cpu c, long a, long b, int size) {
    int start = (int) b & 0xFF;
    int length = (int) (b >>> 8) & 0xFF;
    long r = start >= size ? 0 : a >>> start;
    return bits(c, length >= 64 ? r : r & ((1L << length) - 1), false, size);
  }

  @Meaning("BLSR")
  public static long blsr(Cpu c, long a, int size) {
    return bits(c, a & (a - 1), a == 0, size);
  }

  @Meaning("BLSMSK")
  public static long blsmsk(Cpu c, long a, int size) {
    return bits(c, a ^ (a - 1), a == 0, size);
  }

  @Meaning("BLSI")
  public static long blsi(Cpu c, long a, int size) {
    return bits(c, a & -a, a != 0, size);
  }

  @Meaning("BZHI")
  public static long bzhi(Cpu c, long a, long b, int size) {
    int from = (int) b & 0xFF;
    return bits(c, from >= size ? a : a & ((1L << from) - 1), from >= size, size);
  }

  private static long bits(Cpu c, long result, boolean carry, int size) {
    Flags.result(c, result, size);
    Flags.carryOverflow(c, carry, false);
    c.flagAux = 0;
    return result;
  }

  /** The source's low bits, deposited where the mask has ones. */
  @Meaning("PDEP")
  public static long pdep(Cpu c, long source, long mask, int size) {
    return Long.expand(source, mask);
  }

  /** The source's bits where the mask has ones, packed low. */
  @Meaning("PEXT")
  public static long pext(Cpu c, long source, long mask, int size) {
    return Long.compress(source, mask);
  }

  // Bit tests; the generated case finds the word that a bit string in memory means.

  @Meaning("BT")
  public static void bt(Cpu c, long a, long b, int size) {
    Flags.setCarry(c, (a >>> (b & (size - 1)) & 1) != 0);
  }

  @Meaning("BTS")
  public static long bts(Cpu c, long a, long b, int size) {
    bt(c, a, b, size);
    return a | 1L << (b & (size - 1));
  }

  @Meaning("BTR")
  public static long btr(Cpu c, long a, long b, int size) {
    bt(c, a, b, size);
    return a & ~(1L << (b & (size - 1)));
  }

  @Meaning("BTC")
  public static long btc(Cpu c, long a, long b, int size) {
    bt(c, a, b, size);
    return a ^ 1L << (b & (size - 1));
  }

  /**
   * With a zero source the destination stays, as processors do (and AMD documents): all 64 bits of
   * it, also with a 32-bit operand.
   */
  @Meaning(value = "BSF", flow = Flow.NEXT)
  public static void bsf(Cpu c, Insn i, int size) {
    long source = Operands.load(c, i, size);
    found(c, i, size, source, Long.numberOfTrailingZeros(source));
  }

  @Meaning(value = "BSR", flow = Flow.NEXT)
  public static void bsr(Cpu c, Insn i, int size) {
    long source = Operands.load(c, i, size);
    found(c, i, size, source, 63 - Long.numberOfLeadingZeros(source));
  }

  private static void found(Cpu c, Insn i, int size, long source, int bit) {
    Flags.setZero(c, source == 0);
    if (source != 0) {
      Operands.setRegister(c, i.reg, size, bit);
    }
  }

  @Meaning("TZCNT")
  public static long tzcnt(Cpu c, long a, int size) {
    return count(c, a == 0 ? size : Long.numberOfTrailingZeros(a), size);
  }

  @Meaning("LZCNT")
  public static long lzcnt(Cpu c, long a, int size) {
    return count(c, Long.numberOfLeadingZeros(a) - (64 - size), size);
  }

  private static long count(Cpu c, int result, int size) {
    Flags.setZero(c, result == 0);
    Flags.setCarry(c, result == size);
    return result;
  }

  @Meaning("POPCNT")
  public static long popcnt(Cpu c, long a, int size) {
    c.flagZero = a;
    c.flagSign = 1; // SF and PF clear
    c.flagCarry = 0;
    c.flagAux = 0;
    return Long.bitCount(a);
  }

  /** Of a 16-bit register the result is undefined; processors write 0. */
  @Meaning("BSWAP")
  public static long bswap(Cpu c, long a, int size) {
    return size == 16 ? 0 : Long.reverseBytes(a) >>> (64 - size);
  }

  @Meaning("MOVBE")
  public static long movbe(Cpu c, long a, int size) {
    return Long.reverseBytes(a) >>> (64 - size);
  }

  /** CRC-32C (polynomial 0x11EDC6F41, reflected) of the source's bytes. */
  @Meaning("CRC32")
  public static long crc32(Cpu c, long a, long b, int size, int sourceSize) {
    int crc = (int) a;
    for (int bit = 0; bit < sourceSize; bit += 8) {
      crc = crc >>> 8 ^ CRC32C[(crc ^ (int) (b >>> bit)) & 0xFF];
    }
    return crc & 0xFFFF_FFFFL;
  }

  private static final int[] CRC32C = crcTable();

  private static int[] crcTable() {
    int[] table = new int[256];
    for (int i = 0; i < table.length; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ (-(crc & 1) & 0x82F6_3B78);
      }
      table[i] = crc;
    }
    return table;
  }
}
