package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import java.util.HexFormat;

/**
 * Flags that the manuals leave undefined, and vendors define apart. The guest has what the
 * interpreter says, which is what Intel's processors do (docs/decisions/0006), so that a run is the
 * same on every host; where the host's differ, emitted code puts them right before anyone can see
 * them.
 */
enum UndefinedFlags {
  /** The host's are the guest's. */
  AS_HOST,
  /** AF is to be clear. */
  CLEAR_AUX,
  /** AF is to be clear if the count in CL is not 0. */
  CLEAR_AUX_BY_CL,
  /** SF and PF of the low half of the product, ZF and AF clear. */
  PRODUCT,
  /** SF, AF, PF and OF as they were. */
  CARRY_ZERO,
  /** All but ZF as they were. */
  ZERO,
  /** Not to be had but from the interpreter. */
  STEP;

  // mov edx,3; xor eax,eax; shl edx,1: AF; lahf; and ah,10h; mov r8d,eax
  // xor eax,eax; imul edx,edx,-5: SF; lahf; and ah,80h; xor ah,80h; or r8d,eax
  // xor eax,eax; cmp al,1: SF, AF, PF; tzcnt edx,edx; lahf; and ah,94h; xor ah,94h; or r8d,eax
  // xor eax,eax; cmp al,1: CF too; bsf edx,edx; lahf; and ah,95h; xor ah,95h; or r8d,eax
  // or eax,r8d
  private static final String PROBE =
      "ba03000000 31c0 d1e2 9f 80e410 4189c0"
          + " 31c0 6bd2fb 9f 80e480 80f480 4109c0"
          + " 31c0 3c01 f30fbcd2 9f 80e494 80f494 4109c0"
          + " 31c0 3c01 0fbcd2 9f 80e495 80f495 4109c0"
          + " 4489c0 2500ff0000 c3";

  /** Made only where there are stubs. */
  private static final class Probe {
    static final boolean OTHERS =
        new HostStub(HexFormat.of().parseHex(PROBE.replace(" ", ""))).call(0) != 0;
  }

  /** Whether this host's are not all the guest's. */
  static boolean differOnHost() {
    return Probe.OTHERS;
  }

  /** What is to be done where they differ about an instruction that is copied. */
  static UndefinedFlags of(Insn i, int writes) {
    OperandCode last = i.row.operands().isEmpty() ? null : i.row.operands().getLast();
    boolean byOne = last != null && last.kind() == OperandCode.Kind.ONE;
    boolean constant = byOne || (last != null && last.kind() == OperandCode.Kind.IMMEDIATE);
    long count = byOne ? 1 : i.immediate & (i.operandSize == 64 ? 63 : 31);
    return switch (i.row.meaning()) {
      case "SHL", "SAL", "SHR", "SAR" -> {
        if (constant) {
          yield count == 0 ? AS_HOST : CLEAR_AUX;
        }
        yield (writes >>> Cpu.RCX & 1) != 0 ? STEP : CLEAR_AUX_BY_CL;
      }
      case "SHLD", "SHRD" ->
          constant && count == 0 ? AS_HOST : constant && count == 1 ? CLEAR_AUX : STEP;
      case "RCL", "RCR" -> constant && count <= 1 ? AS_HOST : STEP;
      case "BEXTR" -> CLEAR_AUX;
      case "MUL", "IMUL", "IMUL2", "IMUL3" -> PRODUCT;
      case "LZCNT", "TZCNT" -> CARRY_ZERO;
      case "BSF", "BSR" -> ZERO;
      default -> AS_HOST;
    };
  }

  /** Whether an instruction needs the guest's AF: reads it, or may leave it as it is. */
  static boolean needsAux(Plan plan) {
    Insn i = plan.insn();
    return switch (plan.flags()) {
      case READS -> (i.row.flagsRead() & (int) Rflags.AF) != 0;
      case CHANGES ->
          plan.undefined() == CLEAR_AUX_BY_CL
              || Operations.isCounted(i)
              || ((i.row.flagsWritten() | i.row.flagsUndefined()) & (int) Rflags.AF) == 0;
      case SETS, NONE -> false;
    };
  }

  /**
   * Whether anything may see the flags that an instruction leaves before all are set anew: reads
   * them, or is where code can be left. What changes only some, such as a rotation, sees none of
   * them, nor do those that it changes matter then.
   *
   * @param charged index of the instruction before which the first segment is charged
   */
  static boolean seen(Trace trace, int index, int charged) {
    for (int at = index + 1; at < trace.count && at != charged && at != trace.loop; at++) {
      Plan plan = trace.plan(at);
      if (plan.clobbers() || plan.kind().transfers()) {
        return true;
      }
      switch (plan.flags()) {
        case SETS -> {
          return false;
        }
        case READS -> {
          return true;
        }
        case CHANGES -> {
          if (plan.readsFlags()) {
            return true;
          }
        }
        case NONE -> {}
      }
    }
    return true;
  }
}
