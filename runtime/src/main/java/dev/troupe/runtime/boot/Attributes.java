package dev.troupe.runtime.boot;

/**
 * Segment attributes and EFER bits of the entry states (SDM volume 3, sections 2.2.1 and 3.4.5).
 */
final class Attributes {
  /** Present, code, readable, accessed; G, and L or D. */
  static final int CODE_64 = 0xA09B;

  static final int CODE_32 = 0xC09B;

  /** Present, data, writable, accessed; G and B. */
  static final int DATA = 0xC093;

  static final int BUSY_TSS = 0x008B;

  static final long EFER_LME = 1 << 8;
  static final long EFER_LMA = 1 << 10;

  private Attributes() {}
}
