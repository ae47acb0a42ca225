package dev.troupe.runtime.cpu;

/**
 * The eight bytes of a segment, system segment or gate descriptor, taken apart (Intel SDM vol. 3A,
 * 3.4.5, 3.5 and 6.11). Attributes are as in {@link Cpu#segmentAttributes}: the high dword's bits
 * 23 to 8, shifted right by 8, without the limit in their middle.
 */
final class Descriptor {
  static final int ACCESSED = 1;

  /** Writable for data, readable for code. */
  static final int READ_WRITE = 1 << 1;

  /** Expand down for data, conforming for code. */
  static final int DOWN_CONFORMING = 1 << 2;

  static final int CODE = 1 << 3;

  /** S: a code or data segment. */
  static final int SEGMENT = 1 << 4;

  static final int PRESENT = 1 << 7;
  static final int LONG = 1 << 13;
  static final int BIG = 1 << 14;
  static final int GRANULAR = 1 << 15;

  // System types, table 3-2.
  static final int TSS_16 = 1;
  static final int LDT = 2;
  static final int TSS_16_BUSY = 3;
  static final int CALL_GATE_16 = 4;
  static final int TASK_GATE = 5;
  static final int INTERRUPT_GATE_16 = 6;
  static final int TRAP_GATE_16 = 7;
  static final int TSS_32 = 9;
  static final int TSS_32_BUSY = 11;
  static final int CALL_GATE_32 = 12;
  static final int INTERRUPT_GATE_32 = 14;
  static final int TRAP_GATE_32 = 15;

  /** The bit that makes a TSS type busy. */
  static final int BUSY = 2;

  private Descriptor() {}

  /** Bits 31 to 0 of the base. */
  static long base(long d) {
    return (d >>> 16 & 0xFF_FFFF) | (d >>> 32 & 0xFF00_0000L);
  }

  /** The limit in bytes. */
  static long limit(long d) {
    long raw = (d & 0xFFFF) | (d >>> 32 & 0xF_0000);
    return (d >>> 40 & GRANULAR) != 0 ? raw << 12 | 0xFFF : raw;
  }

  static int attributes(long d) {
    return (int) (d >>> 40) & 0xF0FF;
  }

  /** Type, with the S bit in front: below 16 for system descriptors. */
  static int type(long d) {
    return (int) (d >>> 40) & 0x1F;
  }

  static int dpl(long d) {
    return (int) (d >>> 45) & 3;
  }

  static boolean present(long d) {
    return (d >>> 40 & PRESENT) != 0;
  }

  static boolean isCode(long d) {
    return (type(d) & (SEGMENT | CODE)) == (SEGMENT | CODE);
  }

  static boolean isConforming(long d) {
    return (type(d) & DOWN_CONFORMING) != 0;
  }

  static boolean isWritableData(long d) {
    return (type(d) & (SEGMENT | CODE | READ_WRITE)) == (SEGMENT | READ_WRITE);
  }

  static boolean isReadable(long d) {
    int type = type(d);
    return (type & SEGMENT) != 0 && (type & (CODE | READ_WRITE)) != CODE;
  }

  /** Both L and D: reserved for code in IA-32e mode. */
  static boolean isLongAndBig(long d) {
    return (d >>> 40 & (LONG | BIG)) == (LONG | BIG);
  }

  /** A gate's selector. */
  static int gateSelector(long d) {
    return (int) (d >>> 16) & 0xFFFF;
  }

  /** A gate's offset, as far as these eight bytes hold it. */
  static long gateOffset(long d) {
    return (d & 0xFFFF) | (d >>> 32 & 0xFFFF_0000L);
  }

  /** A call gate's number of parameters. */
  static int gateCount(long d) {
    return (int) (d >>> 32) & 0x1F;
  }

  /** A 64-bit interrupt or trap gate's stack table index. */
  static int gateStack(long d) {
    return (int) (d >>> 32) & 7;
  }
}
