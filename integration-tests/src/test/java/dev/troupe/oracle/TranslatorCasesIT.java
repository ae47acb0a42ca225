package dev.troupe.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.troupe.oracle.InterpretedCpu.EngineFactory;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.EagerTranslator;
import dev.troupe.runtime.engine.translator.Translator;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every row of the instruction table in 64-bit code, and in 32-bit code under long and under
 * protected mode: the translator against the interpreter. Takes HostOracleIT's properties.
 */
final class TranslatorCasesIT {
  private static final int CASES = Integer.getInteger("oracle.cases", 60);
  private static final long SEED = Long.getLong("oracle.seed", 0);
  private static final String MEANINGS = System.getProperty("oracle.meaning", ".*");
  private static final int SHOWN = Integer.getInteger("oracle.rows", 40);

  private final CaseGenerator generator = new CaseGenerator();
  private final List<String> mismatches = new ArrayList<>();
  private long emitted;

  @ParameterizedTest
  @MethodSource("dev.troupe.runtime.engine.translator.EagerTranslator#modes")
  void emittedCodeDoesWhatTheInterpreterDoes(int size, boolean longMode, boolean amends)
      throws Exception {
    CpuModel model = HostOracleIT.model();
    Translator[] made = new Translator[1];
    EngineFactory translator = vcpu -> made[0] = EagerTranslator.of(vcpu, amends);
    try (var wanted = new InterpretedCpu(model, Interpreter::new, true, longMode);
        var ours = new InterpretedCpu(model, translator, true, longMode)) {
      for (Row row : InstructionTable.rows()) {
        if (row.inMode(size)
            && Uncompared.reason(row, EnumSet.allOf(Feature.class), HostCpu.Limits.NONE) == null
            && row.meaning().matches(MEANINGS)) {
          compare(row, size, wanted, ours);
        }
      }
      emitted = made[0].counters().emitted();
    }
    System.out.printf(
        "translator: units emitted in single cases: %d-bit code, long mode %s: %d%n",
        size, longMode, emitted);
    assertThat(emitted).isPositive();
    if (!mismatches.isEmpty()) {
      fail(
          mismatches.size()
              + " rows differ from the interpreter; the first ones:\n"
              + String.join("\n", mismatches.subList(0, Math.min(SHOWN, mismatches.size()))));
    }
  }

  private void compare(Row row, int size, InterpretedCpu wanted, InterpretedCpu ours) {
    int different = 0;
    int drawn = 0;
    String first = "";
    for (long seed = SEED; seed < SEED + CASES; seed++) {
      CaseGenerator.Case c = generator.make(row, size, seed);
      if (c == null || Uncompared.unequal(c, 0) != 0) {
        continue;
      }
      if (size == 32 && seed % 4 != 0) {
        c.image().fsLimit = 0xFFFF_FFFFL;
        c.image().gsLimit = seed % 4 == 1 ? ChildProgram.DATA + 0x500 : 0xFFFF_FFFFL;
      }
      drawn++;
      String lines = differences(wanted.run(c.image()), run(c, ours));
      if (!lines.isEmpty() && different++ == 0) {
        first =
            "\n  %s  seed %d  %s  %s\n    in: %s\n    %s"
                .formatted(
                    c.row(),
                    c.seed(),
                    HexFormat.of().formatHex(c.bytes()),
                    Disassembler.text(c.insn(), c.image().rip),
                    c.image(),
                    lines);
      }
    }
    if (different > 0) {
      mismatches.add(row.meaning() + ": " + different + " of " + drawn + " cases" + first);
    }
  }

  private static CpuImage run(CaseGenerator.Case c, InterpretedCpu ours) {
    try {
      return ours.run(c.image());
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(c.row() + " seed " + c.seed(), e);
    }
  }

  private static String differences(CpuImage want, CpuImage got) {
    List<String> lines = new ArrayList<>();
    number(lines, "vector", want.vector, got.vector);
    number(lines, "error", want.error, got.error);
    number(lines, "cr2", want.faultAddress, got.faultAddress);
    number(lines, "rip", want.rip, got.rip);
    number(lines, "rflags", want.rflags, got.rflags);
    for (int r = 0; r < 16; r++) {
      number(lines, Comparison.NAMES[r], want.gpr[r], got.gpr[r]);
    }
    number(lines, "fsbase", want.fsBase, got.fsBase);
    number(lines, "gsbase", want.gsBase, got.gsBase);
    number(lines, "fip", want.x87Instruction, got.x87Instruction);
    number(lines, "fdp", want.x87Data, got.x87Data);
    int fx = Arrays.mismatch(want.fx, got.fx);
    if (fx >= 0) {
      lines.add("FXSAVE image differs at " + fx);
    }
    for (int w = 0; w < want.windows.size(); w++) {
      CpuImage.Window one = want.windows.get(w);
      int at = Arrays.mismatch(one.bytes(), got.windows.get(w).bytes());
      if (at >= 0) {
        lines.add("memory at %x".formatted(one.address() + at));
      }
    }
    return String.join("; ", lines);
  }

  private static void number(List<String> lines, String name, long want, long got) {
    if (want != got) {
      lines.add("%s: wanted %x, is %x".formatted(name, want, got));
    }
  }
}
