package dev.troupe.oracle;

import dev.troupe.runtime.isa.Row;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What differs between two results of one case, in words; flags that the row leaves undefined are
 * not looked at.
 */
final class Comparison {
  /** RF, TF and the arithmetic and system flags that user code sees. */
  private static final long FLAGS = 0x25_4FD5L;

  private static final int BREAKPOINT = 3;
  private static final int SINGLE_STEP = 1;

  /** In the x87 status word. */
  private static final int TOP = 7 << 11;

  private static final int RSP = 4;
  static final String[] NAMES = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15"
  };

  private Comparison() {}

  /** One thing that differs; for memory the eight bytes there. */
  record Difference(String name, long host, long ours) {
    @Override
    public String toString() {
      return "%s: host %x, ours %x".formatted(name, host, ours);
    }
  }

  static final String MEMORY = "memory ";

  /** Empty if there is none. */
  static List<Difference> differences(CaseGenerator.Case c, CpuImage host, CpuImage ours) {
    var lines = new ArrayList<Difference>();
    number(lines, "vector", host.vector, ours.vector);
    if (host.vector == ours.vector) {
      // Linux tells user code that its own half of the address space is always present.
      long hidden = host.vector == 14 && host.faultAddress < 0 ? 1 : 0;
      number(lines, "error", host.error & ~hidden, ours.error & ~hidden);
      number(lines, "cr2", host.faultAddress, ours.faultAddress);
    }
    number(lines, "rip", host.rip, ours.rip);
    // Where code is not 64-bit the upper half of RSP is undefined, and so it is where such code
    // goes
    // to 64-bit code (SDM vol. 1, 3.4.1.1). On AMD's processors Linux's own address is there.
    long pointer = c.mode() == 64 && host.cs == ChildProgram.CS64 ? -1 : 0xFFFF_FFFFL;
    for (int r = 0; r < 16; r++) {
      long seen =
          (r == RSP ? pointer : -1) & (host.rip == c.image().rip ? -1 : ~Uncompared.unequal(c, r));
      number(lines, NAMES[r], host.gpr[r] & seen, ours.gpr[r] & seen);
    }
    long mask = FLAGS & ~undefinedFlags(c.row());
    if ((host.rflags & mask) != (ours.rflags & mask)) {
      number(lines, "rflags", host.rflags & mask, ours.rflags & mask);
    }
    number(lines, "cs", host.cs, ours.cs);
    number(lines, "ss", host.ss, ours.ss);
    number(lines, "ds", selector(host.ds), selector(ours.ds));
    number(lines, "es", selector(host.es), selector(ours.es));
    number(lines, "fs", selector(host.fs), selector(ours.fs));
    number(lines, "gs", selector(host.gs), selector(ours.gs));
    number(lines, "fsbase", host.fsBase, ours.fsBase);
    number(lines, "gsbase", host.gsBase, ours.gsBase);
    // XRSTOR's #GP for what it would load into MXCSR comes when the host has loaded other parts.
    if (!faulted(host) || !c.row().meaning().equals("XRSTOR")) {
      floatingPoint(lines, host.fx, ours.fx, !faulted(host) || !c.row().has(Row.MMX | Row.MMXREGS));
    }
    for (int w = 0; w < host.windows.size(); w++) {
      byte[] want = host.windows.get(w).bytes();
      byte[] got = ours.windows.get(w).bytes();
      for (int at = 0; at < CpuImage.WINDOW; at += 8) {
        long address = host.windows.get(w).address() + at;
        number(lines, MEMORY + Long.toHexString(address), long64(want, at), long64(got, at));
      }
    }
    return lines;
  }

  /**
   * The host's way back to user code clears the RPL of null selectors (Intel SDM vol. 2A, IRET).
   */
  private static int selector(int value) {
    return value < 4 ? 0 : value;
  }

  static long undefinedFlags(Row row) {
    long undefined = row.flagsUndefined();
    return switch (row.meaning()) {
      // OF is defined for counts of 1 only; a count beyond the operand leaves CF undefined, too.
      case "RDRAND", "RDSEED" -> undefined | 1; // CF: whether there was a number in time
      case "SHL", "SHR", "SAR", "ROL", "ROR", "RCL", "RCR", "SHLD", "SHRD" -> undefined | 0x801;
      default -> undefined;
    };
  }

  static boolean faulted(CpuImage out) {
    return out.vector != BREAKPOINT && out.vector != SINGLE_STEP;
  }

  /**
   * Compares FXSAVE areas.
   *
   * @param transition false after a fault of an MMX instruction: Intel processors leave it half in
   *     MMX state then, TOP 0 and the tags as they were
   */
  private static void floatingPoint(
      List<Difference> lines, byte[] host, byte[] ours, boolean transition) {
    ByteBuffer want = ByteBuffer.wrap(host).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer got = ByteBuffer.wrap(ours).order(ByteOrder.LITTLE_ENDIAN);
    int status = transition ? 0xFFFF : 0xFFFF & ~TOP;
    number(lines, "fcw", want.getShort(0) & 0xFFFF, got.getShort(0) & 0xFFFF);
    number(lines, "fsw", want.getShort(2) & status, got.getShort(2) & status);
    if (transition) {
      number(lines, "ftw", want.get(4) & 0xFF, got.get(4) & 0xFF);
    }
    number(lines, "mxcsr", want.getInt(24), got.getInt(24));
    for (int i = 0; i < 8; i++) {
      int a = register(want, i);
      int b = register(got, i);
      number(lines, "r" + i, want.getLong(a), got.getLong(b));
      number(
          lines,
          "r" + i + ".exponent",
          want.getShort(a + 8) & 0xFFFF,
          got.getShort(b + 8) & 0xFFFF);
    }
    for (int i = 0; i < 32; i++) {
      number(
          lines,
          "xmm" + i / 2 + (i % 2 == 0 ? ".low" : ".high"),
          want.getLong(160 + 8 * i),
          got.getLong(160 + 8 * i));
    }
  }

  /** Where physical register {@code i} is in an FXSAVE area, which has them from TOP upwards. */
  private static int register(ByteBuffer fx, int i) {
    int top = (fx.getShort(2) & TOP) >> 11;
    return 32 + 16 * (i - top & 7);
  }

  private static void number(List<Difference> lines, String name, long host, long ours) {
    if (host != ours) {
      lines.add(new Difference(name, host, ours));
    }
  }

  private static long long64(byte[] bytes, int offset) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(offset);
  }

  /** True if the instruction ran to its end and changed something, or branched. */
  static boolean counts(CaseGenerator.Case c, CpuImage out) {
    if (out.vector != BREAKPOINT && out.vector != SINGLE_STEP) {
      return false;
    }
    CpuImage in = c.image();
    long next = in.rip + c.bytes().length + (out.vector == BREAKPOINT ? 1 : 0);
    if (out.rip != next) {
      return true; // a branch taken
    }
    if (!Arrays.equals(in.gpr, out.gpr)
        || ((in.rflags ^ out.rflags) & 0x4CD5) != 0
        || in.cs != out.cs
        || in.ss != out.ss
        || in.ds != out.ds
        || in.es != out.es
        || out.fs != 0
        || out.gs != 0
        || out.fsBase != in.fsBase
        || out.gsBase != in.gsBase) {
      return true;
    }
    // FIP, FDP, FOP (bytes 6 to 23) and what the kernel keeps at the end are no result.
    if (Arrays.mismatch(in.fx, 0, 5, out.fx, 0, 5) >= 0
        || in.fx[24] != out.fx[24]
        || in.fx[25] != out.fx[25]
        || Arrays.mismatch(in.fx, 32, 416, out.fx, 32, 416) >= 0) {
      return true;
    }
    for (int w = 0; w < in.windows.size(); w++) {
      if (!Arrays.equals(in.windows.get(w).bytes(), out.windows.get(w).bytes())) {
        return true;
      }
    }
    return false;
  }
}
