package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Size;
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

  /**
   * SSE rows with memory that ModRM does not name, or that change how others work; and the dot
   * products, which NaN of several they give being the processor's (SDM vol. 2A, DPPS).
   */
  private static final Set<String> NOT_COPIED_SSE = Set.of("DPPD", "DPPS", "LDMXCSR", "MASKMOVDQU");

  private static final int RAX_RDX = 1 << Cpu.RAX | 1 << Cpu.RDX;

  /** What a string instruction that stores changes. */
  private static final int STORED = 1 << Cpu.RDI | 1 << Cpu.RCX;

  private Operations() {}

  /** How an instruction is emitted, except that what cannot be copied is a {@link Kind#STEP}. */
  static Kind kind(Insn i, int mode) {
    if (i.form == Block.RAISE || (i.memory && !addressed(i))) {
      return Kind.STEP;
    }
    boolean full = i.operandSize > 16; // of a stack: 64 bits in 64-bit code, else 32
    boolean supervisor = (mode & Mode.CPL) == 0;
    boolean word = i.row.operands().isEmpty() || i.row.operand(0).size() != Size.B;
    return switch (i.row.meaning()) {
      case "NOP" -> Kind.NOP;
      case "JCC" -> Kind.JCC;
      case "JMP" -> Kind.JMP;
      case "LEA" -> i.operandSize > 16 ? Kind.LEA : Kind.STEP;
      case "DIV", "IDIV" -> word && i.operandSize > 16 ? Kind.DIV : Kind.STEP;
      case "POP" -> full && !i.memory ? Kind.POP : Kind.STEP;
      case "PUSH" -> full ? Kind.PUSH : Kind.STEP;
      case "LEAVE" -> full ? Kind.LEAVE : Kind.STEP;
      case "CALL" -> full ? Kind.CALL : Kind.STEP;
      case "CALL_E" -> full ? Kind.CALL_INDIRECT : Kind.STEP;
      case "JMP_E" -> full ? Kind.JMP_INDIRECT : Kind.STEP;
      case "RET" -> full ? Kind.RET : Kind.STEP;
      case "PUSHF" -> full ? Kind.PUSHF : Kind.STEP;
      case "SWAPGS" -> Kind.SWAPGS;
      case "CLI" -> supervisor ? Kind.CLI : Kind.STEP;
      case "STI" -> supervisor ? Kind.STI : Kind.STEP;
      case "PAUSE" -> Kind.PAUSE;
      case "RDTSC" -> Kind.RDTSC;
      case "RDTSCP" -> Kind.RDTSCP;
      case "SYSCALL" -> user64(mode) ? Kind.SYSCALL : Kind.STEP;
      case "SYSRET" -> supervisor && wide64(i, mode) ? Kind.SYSRET : Kind.STEP;
      case "STAC" -> supervisor ? Kind.STAC : Kind.STEP;
      case "CLAC" -> supervisor ? Kind.CLAC : Kind.STEP;
      case "MOVS" -> upToFlat(i) ? Kind.MOVS : Kind.STEP;
      case "STOS" -> upToFlat(i) ? Kind.STOS : Kind.STEP;
      default -> i.row.has(Row.FPU | Row.WAIT) ? Kind.X87 : Kind.COPY;
    };
  }

  /** Whether the addresses of a string instruction are whole registers. */
  private static boolean upToFlat(Insn i) {
    return i.addressing <= Operands.FLAT && i.addressSize == i.mode;
  }

  private static boolean user64(int mode) {
    return (mode & (Mode.CPL | Mode.CODE_64)) == (3 | Mode.CODE_64);
  }

  private static boolean wide64(Insn i, int mode) {
    return i.operandSize == 64 && (mode & Mode.CODE_64) != 0;
  }

  /** Whether the address of the operand in memory can be formed: checks are not emitted. */
  private static boolean addressed(Insn i) {
    return i.addressing != Operands.CHECKED || (i.segment >= Cpu.FS && i.addressSize == 32);
  }

  /** Whether an instruction of this kind goes through the TLB. */
  static boolean access(Insn i, Kind kind) {
    return switch (kind) {
      case STEP, NOP, LEA, JMP, JCC -> false;
      case SWAPGS, CLI, STI, STAC, CLAC, PAUSE, RDTSC, RDTSCP, SYSCALL, SYSRET -> false;
      case CALL, CALL_INDIRECT, RET, PUSH, POP, LEAVE, PUSHF, MOVS, STOS -> true;
      default -> i.memory;
    };
  }

  /** General registers that an emitted instruction may change, a bit each. */
  static int writes(Insn i, Kind kind) {
    int mask =
        switch (kind) {
          case PUSH, PUSHF, POP, CALL, CALL_INDIRECT, RET -> 1 << Cpu.RSP;
          case LEAVE -> 1 << Cpu.RSP | 1 << Cpu.RBP;
          case DIV, RDTSC -> RAX_RDX;
          case RDTSCP -> RAX_RDX | 1 << Cpu.RCX;
          case SYSCALL -> 1 << Cpu.RCX | 1 << 11;
          default -> implicit(i.row.meaning());
        };
    for (int n = 0; n < i.row.operands().size(); n++) {
      if (i.row.writes(n)) {
        mask |= written(i, i.row.operand(n));
      }
    }
    return mask;
  }

  private static int implicit(String meaning) {
    return switch (meaning) {
      case "MOVS" -> 1 << Cpu.RSI | STORED;
      case "STOS" -> STORED;
      case "MUL", "IMUL", "CBW", "CWD", "LAHF", "CMPXCHG", "CMPXCHG8B", "CMPXCHG16B" -> RAX_RDX;
      default -> 0;
    };
  }

  private static int written(Insn i, OperandCode operand) {
    return switch (operand.kind()) {
      case REG, OPCODE -> bit(i.reg);
      case RM, RM_REGISTER -> i.memory ? 0 : bit(i.rm);
      case VVVV -> bit(i.vvvv);
      case FIXED_REGISTER -> bit(operand.fixed());
      default -> 0;
    };
  }

  /** Of a register, 16 to 19 for AH to BH. */
  private static int bit(int register) {
    return 1 << (register < 16 ? register : register & 3);
  }

  /** Whether the same row on the host, with other registers, does what the guest's does. */
  static boolean isCopied(Insn i, Set<Feature> host) {
    Row row = i.row;
    if (!host.contains(row.feature()) || !row.inMode(64)) {
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
    if (all && isCounted(i)) {
      OperandCode count = row.operands().getLast();
      int mask = i.operandSize == 64 ? 63 : 31;
      all =
          count.kind() == OperandCode.Kind.ONE
              || (count.kind() == OperandCode.Kind.IMMEDIATE && (i.immediate & mask) != 0);
    }
    return all && leavesNothing(row.meaning()) ? FlagUse.SETS : FlagUse.CHANGES;
  }

  /** Whether a count of 0 leaves all flags as they were. */
  static boolean isCounted(Insn i) {
    return COUNTED.contains(i.row.meaning());
  }

  /** False where processors leave flags as they were that the manual calls undefined. */
  private static boolean leavesNothing(String meaning) {
    return switch (meaning) {
      case "BSF", "BSR", "LZCNT", "TZCNT", "SHLD", "SHRD" -> false;
      default -> true;
    };
  }
}
