package dev.troupe.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.oracle.InterpretedCpu.EngineFactory;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.EagerTranslator;
import dev.troupe.runtime.engine.translator.PlantedEngine;
import dev.troupe.runtime.engine.translator.Translator;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Insn;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Small programs with loops, branches, calls, flags that live long and memory that is not always
 * there: the translator against the interpreter, at the end of each of many short turns. In 64-bit
 * code, and in 32-bit code under long and under protected mode.
 */
final class TranslatorSequencesIT {
  private static final long SEED = Long.getLong("sequences.seed", 0);
  private static final int PROGRAMS = Integer.getInteger("sequences.programs", 4000);

  @ParameterizedTest
  @MethodSource("dev.troupe.runtime.engine.translator.EagerTranslator#modes")
  void bothEnginesAreAtTheSamePlaceAfterEachTurn(int size, boolean longMode, boolean amends)
      throws Exception {
    CpuModel model = HostOracleIT.model();
    Translator[] made = new Translator[1];
    EngineFactory translator = vcpu -> made[0] = EagerTranslator.of(vcpu, amends);
    try (var wanted = new InterpretedCpu(model, Interpreter::new, true, longMode);
        var ours = new InterpretedCpu(model, translator, true, longMode)) {
      compare(wanted, ours, size, model);
      assertThat(made[0].counters().emitted()).isGreaterThan(PROGRAMS);
    }
  }

  /** So that x87 state, which not all instructions look at, is known to be compared. */
  @Test
  void aPlantedErrorInX87StateIsFound() throws Exception {
    CpuModel model = HostOracleIT.model();
    try (var wanted = new InterpretedCpu(model, Interpreter::new, true);
        var ours = new InterpretedCpu(model, PlantedEngine::withWrongDataPointer, true)) {
      assertThatExceptionOfType(AssertionError.class)
          .isThrownBy(() -> compare(wanted, ours, 64, model))
          .withMessageContaining("fdp=1 ");
    }
  }

  private static void compare(
      InterpretedCpu wanted, InterpretedCpu ours, int size, CpuModel model) {
    for (long seed = SEED; seed < SEED + PROGRAMS; seed++) {
      SequenceProgram program = new SequenceProgram(seed, size);
      List<String> want = run(wanted, program, seed);
      List<String> got = run(ours, program, seed);
      for (int n = 0; n < Math.min(want.size(), got.size()); n++) {
        assertThat(got.get(n))
            .as("seed %d, turn %d of %d\n%s", seed, n, want.size(), listing(program, model))
            .isEqualTo(want.get(n));
      }
      assertThat(got).as("seed %d", seed).hasSameSizeAs(want);
    }
  }

  private static List<String> run(InterpretedCpu cpu, SequenceProgram program, long seed) {
    List<String> trail = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(seed);
    CpuImage end =
        cpu.run(
            program.image(),
            () -> random.nextInt(4) == 0 ? 1 + random.nextInt(20) : 1 + random.nextInt(600),
            trail::add);
    trail.add(end.toString());
    return trail;
  }

  private static String listing(SequenceProgram program, CpuModel model) {
    Decoder decoder = new Decoder(DecodeTable.of(model.features()));
    StringBuilder text = new StringBuilder();
    byte[] code = program.code();
    for (int at = 0; at < code.length; ) {
      int from = at;
      Insn i = new Insn();
      decoder.decode(
          program.size(),
          offset -> from + offset < code.length ? code[from + offset] & 0xFF : 0,
          i);
      text.append(
          "%x %s%n"
              .formatted(program.address() + at, Disassembler.text(i, program.address() + at)));
      at += Math.max(i.length, 1);
    }
    return text.toString();
  }
}
