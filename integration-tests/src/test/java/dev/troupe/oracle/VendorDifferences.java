package dev.troupe.oracle;

import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Where the two vendors' processors part, and the interpreter cannot go with both: what is
 * undefined or left open by the manuals follows Intel's processors (docs/decisions/0006), but for
 * what no Intel host is needed to decide. Each entry is looked at only after a difference, only on
 * hosts of its vendor, and names exactly what may differ.
 */
final class VendorDifferences {
  private static final int BOUND_RANGE = 5;
  private static final int INVALID_OPCODE = 6;
  private static final int STACK_FAULT = 12;
  private static final int PROTECTION = 13;
  private static final int PAGE_FAULT = 14;
  private static final int ALIGNMENT = 17;

  private static final long RF = 1 << 16;
  private static final long ARITHMETIC = 0x8D5;
  private static final long UPPER = 0xFFFF_FFFF_0000_0000L;
  private static final int RCX = 1;
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int LOCK_PREFIX = 0xF0;

  /** In the x87 status word: an exception that is not masked is pending. */
  private static final int ERROR_SUMMARY = 0x80;

  /** In the FXSAVE area, bits 16 to 23 of MXCSR. */
  private static final int MXCSR_BITS_16 = 26;

  /** MXCSR_MASK is the upper half of the area's quadword at 24; bit 17 is MXCSR.MM. */
  private static final long MISALIGNED_MODE = 1L << (32 + 17);

  private static final Set<String> VIRTUALIZATION =
      Set.of("VMRUN", "VMLOAD", "VMSAVE", "STGI", "CLGI", "SKINIT", "INVLPGA");

  private record Entry(String reason, Predicate<Outcome> applies) {}

  private static final List<Entry> AMD =
      List.of(
          new Entry(
              "SHLD, SHRD by more than the operand's size: undefined (SDM vol. 2B, SHLD)",
              VendorDifferences::doubleShift),
          new Entry(
              "an operand across 4 GiB: may fault or not (SDM vol. 3A, 5.3)",
              o -> o.is("ENTER") && o.host.vector == STACK_FAULT && o.in().gpr[RBP] < 4 * 32),
          new Entry(
              "CALL: whether the return address is written before the target's #GP",
              o -> o.is("CALL_E") && o.host.vector == PROTECTION && o.only(Comparison.MEMORY)),
          new Entry(
              "no RF after a trap between iterations (SDM vol. 3B, 17.3.1.1 has it), and flags of"
                  + " the last comparison (SDM vol. 2B, REP restores them)",
              VendorDifferences::betweenIterations),
          new Entry(
              "PREFETCH of a register: #UD (APM vol. 3, PREFETCHlevel)",
              o ->
                  o.drawn.row().encoding().toString().startsWith("0F 0D")
                      && o.host.vector == INVALID_OPCODE),
          new Entry(
              "SVM's instructions: #GP at CPL 3; none of our models has them",
              o -> VIRTUALIZATION.contains(o.drawn.row().mnemonic()) && o.hostFaults(PROTECTION)),
          new Entry(
              "which fault of a code fetch or of #UD is seen (SDM vol. 3A, table 6-2)",
              o ->
                  o.is("UD")
                      && o.only("vector")
                      && o.bothFault(INVALID_OPCODE, PROTECTION, PAGE_FAULT)),
          new Entry(
              "far pointers with a 64-bit offset: Intel's only (APM vol. 3, CALL, JMP, LSS)",
              o -> o.has(OperandCode.M_P) && o.insn().operandSize == 64),
          new Entry(
              "far returns read all of the new stack, then check (APM vol. 3, RET, IRET)",
              o ->
                  o.is("RETF", "IRET")
                      && o.only("vector")
                      && o.host.vector != PROTECTION
                      && o.bothFault(STACK_FAULT, PROTECTION, PAGE_FAULT, ALIGNMENT)),
          new Entry(
              "POP of a segment register reads the whole operand, before it checks",
              o -> o.is("POP_S") && o.hostFaults(STACK_FAULT, PAGE_FAULT, ALIGNMENT)),
          new Entry(
              "MOVSXD to 16 bits reads 32 (SDM vol. 2B, MOVSXD: 16)",
              o ->
                  o.is("MOVSXD")
                      && o.insn().operandSize == 16
                      && o.hostFaults(STACK_FAULT, PROTECTION, PAGE_FAULT, ALIGNMENT)),
          new Entry(
              "BOUND reads both bounds before it compares",
              o ->
                  o.is("BOUND")
                      && o.ours.vector == BOUND_RANGE
                      && o.hostFaults(STACK_FAULT, PROTECTION, PAGE_FAULT, ALIGNMENT)),
          new Entry(
              "PUSH of a segment register writes the whole operand (SDM vol. 2B, PUSH: either)",
              VendorDifferences::pushedSelector),
          new Entry(
              "INT1 under the host's hypervisor leaves RIP (SDM vol. 2A, INT1: it is a trap)",
              o -> o.is("INT1") && o.host.vector == 1 && o.only("rip") && o.stayed()),
          new Entry(
              "SYSEXIT is #UD in long mode (APM vol. 3, SYSEXIT)",
              o ->
                  o.is("SYSEXIT")
                      && o.host.vector == INVALID_OPCODE
                      && o.ours.vector == PROTECTION),
          new Entry(
              "LOCK VERW is taken (APM vol. 3, 1.2.5: it is #UD)", o -> o.is("VERW") && o.locked()),
          new Entry(
              "LOCK MOV CR0 is MOV CR8 (APM vol. 3, MOV CRn)",
              o -> o.is("MOV_R_C", "MOV_C_R") && o.locked() && o.hostFaults(PROTECTION)),
          new Entry("MXCSR_MASK has MM (APM vol. 1, 4.2.2)", VendorDifferences::maskStored),
          new Entry(
              "MXCSR.MM can be loaded (APM vol. 1, 4.2.2)",
              o ->
                  o.is("LDMXCSR", "FXRSTOR", "XRSTOR")
                      && o.ours.vector == PROTECTION
                      && (o.host.fx[MXCSR_BITS_16] & 2) != 0),
          new Entry(
              "a far call from 64-bit to 32-bit code pushes on ESP, ours on RSP, not canonical"
                  + " here",
              o -> o.is("CALLF_M") && o.insn().mode == 64 && o.ours.vector == STACK_FAULT),
          new Entry(
              "the order of checks of an XSAVE, FXSAVE or x87 area, and its stores before a fault",
              VendorDifferences::areaFault),
          new Entry(
              "a store's fault is seen before an x87 exception that forbids it",
              o ->
                  o.has(Row.FPU)
                      && o.hostFaults(STACK_FAULT, PROTECTION, PAGE_FAULT, ALIGNMENT)
                      && (o.ours.fx[2] & ERROR_SUMMARY) != 0),
          new Entry(
              "an x87 store of ten bytes that faults in the last two has stored nothing",
              o ->
                  o.is("FSTP_M80", "FBSTP")
                      && o.bothFault(STACK_FAULT, PROTECTION, PAGE_FAULT)
                      && o.only(Comparison.MEMORY)),
          new Entry(
              "whether 16 bytes that need no alignment are aligned for #AC",
              o -> hasVector(o) && o.insn().memory && o.hostFaults(ALIGNMENT)),
          new Entry(
              "DPPS, DPPD: which NaN, as the order of additions is open (SDM vol. 2A, DPPS)",
              VendorDifferences::dotProductOfNans));

  private static final List<Entry> INTEL =
      List.of(
          new Entry(
              "REP MOVS and STOS with 32-bit addresses clear the upper halves of their registers"
                  + " without a finished iteration (AMD's leave them)",
              VendorDifferences::upperHalves),
          new Entry(
              "RETF imm16 from a 16-bit stack to 64-bit code: whether SP carries (SDM vol. 2B, RET"
                  + " adds to SP, most processors and APM vol. 3 to RSP)",
              o ->
                  o.is("RETF")
                      && o.insn().mode == 16
                      && o.only("rsp")
                      && o.host.cs == ChildProgram.CS64
                      && ((o.host.gpr[RSP] ^ o.ours.gpr[RSP]) & 0xFFFF) == 0));

  private VendorDifferences() {}

  /** Why the differences are no mismatch on a host of this vendor; null if they are one. */
  static String reason(
      CpuModel.Vendor vendor,
      CaseGenerator.Case c,
      CpuImage host,
      CpuImage ours,
      List<Comparison.Difference> differences) {
    var outcome = new Outcome(c, host, ours, differences);
    for (Entry e : vendor == CpuModel.Vendor.AMD ? AMD : INTEL) {
      if (e.applies.test(outcome)) {
        return e.reason;
      }
    }
    return null;
  }

  /** A case with both results and what differs. */
  private record Outcome(
      CaseGenerator.Case drawn,
      CpuImage host,
      CpuImage ours,
      List<Comparison.Difference> differences) {
    boolean is(String... meanings) {
      return List.of(meanings).contains(drawn.row().meaning());
    }

    boolean has(int checks) {
      return drawn.row().has(checks);
    }

    boolean has(OperandCode operand) {
      return drawn.row().operands().contains(operand);
    }

    Insn insn() {
      return drawn.insn();
    }

    CpuImage in() {
      return drawn.image();
    }

    boolean locked() {
      return (drawn.bytes()[0] & 0xFF) == LOCK_PREFIX;
    }

    /** Whether nothing else differs; {@link Comparison#MEMORY} stands for all of it. */
    boolean only(String... names) {
      return differences.stream()
          .allMatch(d -> Arrays.stream(names).anyMatch(n -> d.name().startsWith(n)));
    }

    boolean stayed() {
      return host.rip == in().rip;
    }

    /** Whether the host faulted at the instruction with one of these vectors. */
    boolean hostFaults(int... vectors) {
      return stayed() && Arrays.stream(vectors).anyMatch(v -> v == host.vector);
    }

    /** Whether both faulted at the instruction with one of these vectors each. */
    boolean bothFault(int... vectors) {
      return hostFaults(vectors)
          && ours.rip == in().rip
          && Arrays.stream(vectors).anyMatch(v -> v == ours.vector);
    }
  }

  private static boolean doubleShift(Outcome o) {
    if (!o.is("SHLD", "SHRD") || o.insn().operandSize != 16 || o.stayed()) {
      return false;
    }
    boolean byRegister = o.drawn.row().operands().get(2).kind() != OperandCode.Kind.IMMEDIATE;
    long count = byRegister ? o.in().gpr[RCX] : o.insn().immediate;
    return (count & 31) > 16 && o.host.rip == o.ours.rip && o.host.vector == o.ours.vector;
  }

  private static boolean betweenIterations(Outcome o) {
    long flags = o.host.rflags ^ o.ours.rflags;
    long allowed = o.has(Row.REPZ) ? RF | ARITHMETIC : RF;
    return o.has(Row.REP | Row.REPZ)
        && o.insn().repeat != 0
        && o.stayed()
        && o.only("rflags")
        && (flags & ~allowed) == 0;
  }

  private static boolean pushedSelector(Outcome o) {
    return o.is("PUSH_S")
        && o.insn().operandSize > 16
        && (o.only(Comparison.MEMORY) || o.hostFaults(STACK_FAULT, PAGE_FAULT, ALIGNMENT));
  }

  private static boolean isArea(Outcome o) {
    return o.has(OperandCode.M_FX) || o.has(OperandCode.M_XS);
  }

  private static boolean maskStored(Outcome o) {
    return isArea(o)
        && o.only(Comparison.MEMORY)
        && o.differences.stream().allMatch(d -> (d.host() ^ d.ours()) == MISALIGNED_MODE);
  }

  private static boolean areaFault(Outcome o) {
    return (isArea(o) || o.has(OperandCode.M_EN) || o.has(OperandCode.M_ST))
        && o.bothFault(PROTECTION, PAGE_FAULT, ALIGNMENT)
        && o.only("vector", "cr2", Comparison.MEMORY);
  }

  /** Whether an operand has 128 bits. */
  private static boolean hasVector(Outcome o) {
    return o.drawn.row().operands().stream().anyMatch(x -> x.bits(o.insn().operandSize) == 128);
  }

  private static boolean dotProductOfNans(Outcome o) {
    boolean single = o.is("DPPS");
    return (single || o.is("DPPD"))
        && o.only("xmm")
        && o.differences.stream().allMatch(d -> sameButNans(d.host(), d.ours(), single));
  }

  private static boolean sameButNans(long a, long b, boolean single) {
    if (!single) {
      return Double.isNaN(Double.longBitsToDouble(a)) && Double.isNaN(Double.longBitsToDouble(b));
    }
    return sameOrNans((int) a, (int) b) && sameOrNans((int) (a >>> 32), (int) (b >>> 32));
  }

  private static boolean sameOrNans(int a, int b) {
    return a == b || (Float.isNaN(Float.intBitsToFloat(a)) && Float.isNaN(Float.intBitsToFloat(b)));
  }

  private static boolean upperHalves(Outcome o) {
    boolean unfinished = o.stayed() || (o.in().gpr[RCX] & ~UPPER) == 0;
    return o.is("MOVS", "STOS")
        && o.insn().repeat != 0
        && o.insn().addressSize == 32
        && unfinished
        && o.only("rcx", "rsi", "rdi")
        && o.differences.stream()
            .allMatch(d -> (d.host() & UPPER) == 0 && d.host() == (d.ours() & ~UPPER));
  }
}
