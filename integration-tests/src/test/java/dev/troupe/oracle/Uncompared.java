package dev.troupe.oracle;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.Row;
import java.util.Set;

/**
 * Which rows user code on the host cannot serve as the oracle for, and why. Multiboot guests
 * against QEMU take these.
 */
final class Uncompared {
  /** What is not the processor's own on a host without descriptor tables of its own. */
  private static final Set<String> PARAVIRTUAL =
      Set.of(
          "MOV_S_E",
          "POP_S",
          "LSS",
          "LFS",
          "LGS",
          "CALLF_M",
          "JMPF_M",
          "RETF",
          "IRET",
          "VERR",
          "VERW",
          "LAR",
          "LSL",
          "INT",
          "CPUID",
          "WRFSBASE",
          "WRGSBASE");

  private Uncompared() {}

  /** The reason, or null if the row is compared. */
  static String reason(Row row, Set<Feature> host, HostCpu.Limits limits) {
    if (!host.contains(row.feature())) {
      return "the host's CPU lacks " + row.feature();
    }
    if (limits.codeSizes().stream().noneMatch(row::inMode)) {
      return "the host's kernel gives no code segment for them";
    }
    if (limits.paravirtual() && PARAVIRTUAL.contains(row.meaning())) {
      return "the host's kernel is a paravirtual guest: other descriptors, emulated instructions";
    }
    return switch (row.mnemonic()) {
      case "VMCALL", "VMMCALL" -> "calls the host's hypervisor, if it has one";
      default -> byMeaning(row.meaning());
    };
  }

  /** Whether the vendors agree on the row in code of that size. */
  static boolean inMode(Row row, int mode) {
    return row.inMode(mode) && (mode == 64 || !row.meaning().equals("SYSRET"));
  }

  /**
   * Results that depend on the processor, the time or chance: bits of general register {@code r}
   * that are not compared after the case's instruction.
   */
  static long unequal(CaseGenerator.Case c, int r) {
    Insn insn = c.insn();
    boolean own =
        switch (c.row().meaning()) {
          case "CPUID" -> r < 4;
          case "RDTSC", "XGETBV" -> r == 0 || r == 2;
          case "RDTSCP" -> r < 3;
          case "RDPID", "RDRAND", "RDSEED" -> r == insn.rm;
          default -> false;
        };
    if (!own) {
      return 0;
    }
    boolean random = c.row().meaning().equals("RDRAND") || c.row().meaning().equals("RDSEED");
    return random && insn.operandSize != 32 ? -1L >>> (64 - insn.operandSize) : 0xFFFF_FFFFL;
  }

  private static String byMeaning(String meaning) {
    return switch (meaning) {
      case "SYSCALL", "SYSENTER" -> "enters the host's kernel";
      case "SGDT", "SIDT", "SMSW", "SLDT", "STR" -> "emulated by the host's kernel under UMIP";
      case "RDPKRU", "WRPKRU" ->
          HostFeatures.protectionKeys()
              ? "work here: the host's kernel has set CR4.PKE, which is clear in ours"
              : null;
      default -> null;
    };
  }

  /**
   * Rows that user code can only make fault, or that change nothing by definition: compared, but
   * not asked for a change.
   */
  static boolean changesNothing(Row row) {
    return row.has(Row.CPL0 | Row.IO)
        || switch (row.meaning()) {
          case "UD", "CLI", "STI", "INT", "INT1", "INT3", "INTO", "BOUND" -> true;
          case "RDPMC" -> true; // CR4.PCE is clear
          case "NOP", "PAUSE", "FENCE", "CLFLUSH", "FNOP", "FWAIT" -> true;
          case "MONITOR", "MWAIT", "MONITORX", "MWAITX", "CLAC", "STAC", "RDPKRU", "WRPKRU" -> true;
          case "SERIALIZE" -> true;
          default -> false;
        };
  }
}
