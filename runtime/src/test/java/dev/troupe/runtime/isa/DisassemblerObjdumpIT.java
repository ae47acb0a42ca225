package dev.troupe.runtime.isa;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.Decoder.Result;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row's text, in every mode, against GNU objdump. */
class DisassemblerObjdumpIT {
  private static final long SEED = 0x15A_0002;
  private static final int CASES = 24;
  private static final int SHOWN = 20;

  /** Rows that objdump names otherwise, and why; only these are left out. */
  private static final Map<String, String> NOT_COMPARED =
      Map.ofEntries(
          Map.entry("0F 0D /r r", "reserved NOP; objdump: prefetch (bad)"),
          Map.entry("0F 18 /6 m", "NOP without PREFETCHI; objdump: prefetchit1"),
          Map.entry("0F 18 /7 m", "NOP without PREFETCHI; objdump: prefetchit0"),
          Map.entry("0F 1A /r", "NOP without MPX; objdump: bndldx, bndmov"),
          Map.entry("0F 1B /r", "NOP without MPX; objdump: bndstx, bndmov"),
          Map.entry("0F 1C /r", "NOP without CLDEMOTE; objdump: cldemote"),
          Map.entry("D6", "SALC, undocumented for long; objdump: (bad)"),
          Map.entry("DC /2 r", "x87 alias, AMD APM volume 3 appendix A; objdump: (bad)"),
          Map.entry("DC /3 r", "x87 alias"),
          Map.entry("DD /1 r", "x87 alias"),
          Map.entry("DE /2 r", "x87 alias"),
          Map.entry("DF /1 r", "x87 alias"),
          Map.entry("DF /2 r", "x87 alias"),
          Map.entry("DF /3 r", "x87 alias"),
          Map.entry("D9 /3 r", "x87 alias"));

  /** objdump takes bit 1 of PCLMULQDQ's immediate for bit 4. */
  private static final Set<Long> WRONG_CARRYLESS = Set.of(2L, 3L);

  private record Case(int address, byte[] bytes, Row row, String text) {}

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void textIsObjdumpsForEveryRow(int mode) throws IOException, InterruptedException {
    ByteArrayOutputStream code = new ByteArrayOutputStream();
    List<Case> cases = generate(mode, code);
    Path file = folder.resolve("code.bin");
    Files.write(file, code.toByteArray());
    Map<Integer, String> expected = objdump(mode, file);
    List<String> wrong = new ArrayList<>();
    Set<Row> compared = new HashSet<>();
    for (Case c : cases) {
      compared.add(c.row);
      if (!c.text.equals(expected.get(c.address))) {
        wrong.add(
            "%s  %s%n  ours    %s%n  objdump %s"
                .formatted(
                    c.row, HexFormat.of().formatHex(c.bytes), c.text, expected.get(c.address)));
      }
    }
    for (Row row : InstructionTable.rows()) {
      if (row.inMode(mode) && !NOT_COMPARED.containsKey(row.opcode()) && !compared.contains(row)) {
        wrong.add("no case: row=" + row);
      }
    }
    assertThat(wrong.stream().limit(SHOWN))
        .as("mode=%d seed=%x cases=%d wrong=%d", mode, SEED, cases.size(), wrong.size())
        .isEmpty();
  }

  private static List<Case> generate(int mode, ByteArrayOutputStream code) {
    InsnEncoder encoder = new InsnEncoder();
    Decoder decoder = new Decoder(new DecodeTable(EnumSet.allOf(Feature.class)));
    Insn insn = new Insn();
    List<Case> cases = new ArrayList<>();
    for (Row row : InstructionTable.rows()) {
      if (!row.inMode(mode) || NOT_COMPARED.containsKey(row.opcode())) {
        continue;
      }
      SplittableRandom random = new SplittableRandom(SEED + row.number() * 3L + mode);
      for (int n = 0; n < CASES; n++) {
        InsnGenerator.generate(
            row, mode, InsnGenerator.Form.ANY, InsnEncoderTest.choices(random), insn);
        byte[] bytes = encoder.encode(insn);
        if (bytes == null
            || (row.meaning().equals("PCLMULQDQ") && WRONG_CARRYLESS.contains(insn.immediate))) {
          continue;
        }
        assertThat(decoder.decode(mode, at -> bytes[at] & 0xFF, insn)).isEqualTo(Result.DECODED);
        cases.add(new Case(code.size(), bytes, insn.row, Disassembler.text(insn, code.size())));
        code.writeBytes(bytes);
        // objdump takes FWAIT and the x87 instruction after it for one.
        code.write(0x90);
      }
    }
    return cases;
  }

  private static Map<Integer, String> objdump(int mode, Path file)
      throws IOException, InterruptedException {
    String machine = mode == 64 ? "i386:x86-64" : mode == 32 ? "i386" : "i8086";
    Process process =
        new ProcessBuilder(
                "objdump",
                "-D",
                "-w",
                "-b",
                "binary",
                "-m",
                machine,
                "-M",
                "intel",
                "--no-show-raw-insn",
                file.toString())
            .redirectErrorStream(true)
            .start();
    Map<Integer, String> lines = new HashMap<>();
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        int colon = line.indexOf(":\t");
        if (colon > 0) {
          lines.put(
              Integer.parseInt(line.substring(0, colon).strip(), 16),
              line.substring(colon + 2).stripTrailing());
        }
      }
    }
    assertThat(process.waitFor()).as("objdump's exit code").isZero();
    return lines;
  }
}
