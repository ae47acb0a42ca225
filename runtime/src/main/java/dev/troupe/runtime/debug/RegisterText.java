package dev.troupe.runtime.debug;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import java.util.Locale;

/** A vCPU's registers, as text. */
public final class RegisterText {
  private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
  private static final int A_LINE = 4;

  private RegisterText() {}

  /** General, segment and control registers, some lines. */
  public static String of(Cpu cpu) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < RegisterNames.GENERAL.size(); i++) {
      text.append("%-3s=%016x".formatted(RegisterNames.GENERAL.get(i), cpu.gpr[i]));
      text.append(i % A_LINE == A_LINE - 1 ? '\n' : ' ');
    }
    text.append("rip=%016x rflags=%x cpl=%d ".formatted(cpu.rip, Rflags.get(cpu), cpu.cpl));
    text.append(cpu.activity.name().toLowerCase(Locale.ROOT)).append('\n');
    for (int i = 0; i < SEGMENTS.length; i++) {
      text.append(
          "%-4s=%04x base=%x limit=%x attributes=%04x\n"
              .formatted(
                  SEGMENTS[i],
                  cpu.selector[i],
                  cpu.segmentBase[i],
                  cpu.segmentLimit[i],
                  cpu.segmentAttributes[i]));
    }
    text.append(
        "gdt=%x/%x idt=%x/%x\n".formatted(cpu.gdtBase, cpu.gdtLimit, cpu.idtBase, cpu.idtLimit));
    text.append(
        "cr0=%x cr2=%x cr3=%x cr4=%x efer=%x\n"
            .formatted(cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.efer));
    return text.toString();
  }
}
