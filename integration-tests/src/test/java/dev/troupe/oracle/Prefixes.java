package dev.troupe.oracle;

import dev.troupe.runtime.isa.Insn;
import java.util.Arrays;

/** Prefixes that an instruction does not need: some change nothing, LOCK mostly makes it #UD. */
final class Prefixes {
  private static final int[] SEGMENTS = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65};
  private static final int LOCK = 0xF0;
  private static final int FS = 4;

  /** One byte more than processors take. */
  private static final int LONGEST = 16;

  private Prefixes() {}

  /** The same instruction, mostly as it is, sometimes with more prefixes than it needs. */
  static byte[] add(byte[] bytes, Insn insn, CaseValues values) {
    if (values.oneIn(32)) {
      return before(bytes, LOCK, 1);
    }
    if (!values.oneIn(16)) {
      return bytes;
    }
    int count =
        values.oneIn(3)
            ? LONGEST - bytes.length - values.below(2)
            : 1 + values.below(LONGEST - bytes.length);
    return before(bytes, harmless(insn, values), count);
  }

  private static byte[] before(byte[] bytes, int prefix, int count) {
    byte[] all = new byte[count + bytes.length];
    Arrays.fill(all, 0, count, (byte) prefix);
    System.arraycopy(bytes, 0, all, count, bytes.length);
    return all;
  }

  /** A segment prefix that names the segment in use already, or in 64-bit code any without base. */
  private static int harmless(Insn insn, CaseValues values) {
    if (insn.mode == 64 && (!insn.memory || insn.segment < FS)) {
      return SEGMENTS[values.below(FS)];
    }
    return SEGMENTS[insn.segment];
  }
}
