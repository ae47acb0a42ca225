package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import java.util.Set;

/** What the translator knows of the instruction table's rows beside what they say themselves. */
final class Operations {
  /** What a row does to the arithmetic flags, as an emitter sees it. */
  enum FlagUse {
    NONE,
    /** Reads them and writes none. */
    READS,
    /** Writes all six whatever they were. */
    SETS,
    /** Needs what they were and writes some, or may write none. */
    CHANGES
  }

  /**
   * Integer meanings that do in emitted code what they do in the guest, by the same instruction on
   * other registers.
   */
  private static final Set<String> COPIED =
      Set.of(
          "ADC",
          "ADCX",
          "ADD",
          "ADOX",
          "AND",
          "ANDN",
          "BEXTR",
          "BLSI",
          "BLSMSK",
          "BLSR",
          "BSF",
          "BSR",
          "BSWAP",
          "BZHI",
          "CBW",
          "CLC",
          "CMC",
          "CMOVCC",
          "CMP",
          "CMPXCHG",
          "CMPXCHG16B",
          "CMPXCHG8B",
          "CRC32",
          "CWD",
          "DEC",
          "FENCE",
          "IMUL",
          "IMUL2",
          "IMUL3",
          "INC",
          "LAHF",
          "LZCNT",
          "MOV",
          "MOVBE",
          "MOVNTI",
          "MOVSX",
          "MOVSXD",
          "MOVZX",
          "MUL",
          "MULX",
          "NEG",
          "NOT",
          "OR",
          "PDEP",
          "PEXT",
          "POPCNT",
          "RCL",
          "RCR",
          "ROL",
          "ROR",
          "RORX",
          "SAHF",
          "SAL",
          "SAR",
          "SARX",
          "SBB",
          "SETCC",
          "SHL",
          "SHLD",
          "SHLX",
          "SHR",
          "SHRD",
          "SHRX",
          "STC",
          "SUB",
          "TEST",
          "TZCNT",
          "XADD",
          "XCHG",
          "XOR");

  /** Not with 16-bit operands: counts beyond 16, and how much is read, are the vendor's. */
  private static final Set<String> NOT_NARROW = Set.of("MOVSXD", "SHLD", "SHRD");

  /** Of a bit in a register, or in a word of memory that an immediate selects. */
  private static final Set<String> BIT_TESTS = Set.of("BT", "BTC", "BTR", "BTS");

  private static final Set<String> COUNTED =
      Set.of("RCL", "RCR", "ROL", "ROR", "SAL", "SAR", "SHL", "SHLD", "SHR", "SHRD");

  /** SSE rows with memory that ModRM does not name, or that change how others work. */
  private static final Set<String> NOT_COPIED_SSE = Set.of("LDMXCSR", "MASKMOVDQU");

  private Operations() {}

  /** Whether the same row on the host, with other registers, does what the guest's does. */
  static boolean isCopied(Insn i, Set<Feature> host) {
    Row row = i.row;
    if (!host.contains(row.feature())) {
      return false;
    }
    for (OperandCode operand : row.operands()) {
      switch (operand.kind()) {
        case RM, RM_REGISTER, REG, VVVV, OPCODE, MEMORY, IMMEDIATE, ONE, FIXED_REGISTER -> {}
        case XMM_REG, XMM_RM, XMM_RM_REGISTER, FIXED_XMM -> {}
        default -> {
          return false;
        }
      }
    }
    if (row.has(Row.SSE)) {
      return !row.has(Row.HOST | Row.MMXREGS) && !NOT_COPIED_SSE.contains(row.meaning());
    }
    if (row.has(Row.FPU | Row.MMX | Row.FX | Row.XSAVE | Row.CPL0)) {
      return false;
    }
    return (COPIED.contains(row.meaning())
            && !(i.operandSize == 16 && NOT_NARROW.contains(row.meaning())))
        || (BIT_TESTS.contains(row.meaning())
            && !(i.memory && row.operand(1).kind() == OperandCode.Kind.REG));
  }

  static FlagUse flags(Insn i) {
    Row row = i.row;
    int written = (row.flagsWritten() | row.flagsUndefined()) & (int) Rflags.ARITHMETIC;
    if (written == 0) {
      return (row.flagsRead() & Rflags.ARITHMETIC) == 0 ? FlagUse.NONE : FlagUse.READS;
    }
    boolean all = written == Rflags.ARITHMETIC && (row.flagsRead() & Rflags.ARITHMETIC) == 0;
    if (all && COUNTED.contains(row.meaning())) {
      OperandCode count = row.operands().getLast();
      int mask = i.operandSize == 64 ? 63 : 31;
      all =
          count.kind() == OperandCode.Kind.ONE
              || (count.kind() == OperandCode.Kind.IMMEDIATE && (i.immediate & mask) != 0);
    }
    return all && leavesNothing(row.meaning()) ? FlagUse.SETS : FlagUse.CHANGES;
  }

  /** False where processors leave flags as they were that the manual calls undefined. */
  private static boolean leavesNothing(String meaning) {
    return switch (meaning) {
      case "BSF", "BSR", "LZCNT", "TZCNT", "SHLD", "SHRD" -> false;
      default -> true;
    };
  }
}
