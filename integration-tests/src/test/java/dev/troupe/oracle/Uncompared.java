package dev.troupe.oracle;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Row;
import java.util.Set;

/**
 * Which rows user code on the host cannot serve as the oracle for, and why. Multiboot guests
 * against QEMU take these.
 */
final class Uncompared {
  private Uncompared() {}

  /** The reason, or null if the row is compared. */
  static String reason(Row row, Set<Feature> host) {
    if (!host.contains(row.feature())) {
      return "the host's CPU lacks " + row.feature();
    }
    return switch (row.mnemonic()) {
      case "VMCALL", "VMMCALL" -> "calls the host's hypervisor, if it has one";
      default -> byMeaning(row.meaning());
    };
  }

  private static String byMeaning(String meaning) {
    return switch (meaning) {
      case "SYSCALL", "SYSENTER" -> "enters the host's kernel";
      case "SYSRET" -> "vendors differ outside of 64-bit mode";
      case "CPUID", "RDTSC", "RDTSCP", "RDPMC", "RDPID", "XGETBV" -> "tells the model or the time";
      case "RDRAND", "RDSEED" -> "random";
      case "SGDT", "SIDT", "SMSW", "SLDT", "STR" -> "emulated by the host's kernel under UMIP";
      case "XSAVE", "XSAVEOPT", "XSAVEC", "XSAVES", "XRSTOR", "XRSTORS" ->
          "the host's XCR0 has more components; the legacy area is compared as FXSAVE's";
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
          case "NOP", "PAUSE", "FENCE", "CLFLUSH", "FNOP", "FWAIT" -> true;
          case "MONITOR", "MWAIT", "MONITORX", "MWAITX", "CLAC", "STAC", "RDPKRU", "WRPKRU" -> true;
          default -> false;
        };
  }
}
