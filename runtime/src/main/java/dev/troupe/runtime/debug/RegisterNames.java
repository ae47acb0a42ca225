package dev.troupe.runtime.debug;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** A vCPU's registers that are one number, by their names. */
public final class RegisterNames {
  /** The general registers, by their numbers. */
  static final List<String> GENERAL =
      List.of(
          "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15");

  private static final Map<String, ToLongFunction<Cpu>> ALL = new LinkedHashMap<>();

  static {
    for (int i = 0; i < GENERAL.size(); i++) {
      int number = i;
      ALL.put(GENERAL.get(i), cpu -> cpu.gpr[number]);
    }
    ALL.put("rip", Cpu::linearRip); // as breakpoints and disassembly have it
    ALL.put("rflags", Rflags::get);
    ALL.put("cpl", cpu -> cpu.cpl);
    ALL.put("cr0", cpu -> cpu.cr0);
    ALL.put("cr2", cpu -> cpu.cr2);
    ALL.put("cr3", cpu -> cpu.cr3);
    ALL.put("cr4", cpu -> cpu.cr4);
    ALL.put("efer", cpu -> cpu.efer);
    ALL.put("fs_base", cpu -> cpu.segmentBase[Cpu.FS]);
    ALL.put("gs_base", cpu -> cpu.segmentBase[Cpu.GS]);
  }

  private RegisterNames() {}

  /** What reads the register of that name; {@code rip} is a linear address. */
  public static Optional<ToLongFunction<Cpu>> find(String name) {
    return Optional.ofNullable(ALL.get(name));
  }

  /** All names, for a regular expression. */
  public static String alternatives() {
    return String.join("|", ALL.keySet());
  }
}
