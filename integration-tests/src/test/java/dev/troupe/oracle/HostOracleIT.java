package dev.troupe.oracle;

import static org.junit.jupiter.api.Assertions.fail;

import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.host.HostCpuid;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Row;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every row of the instruction table that user code can run, against the host's own CPU.
 *
 * <p>{@code -Doracle.cases=N} cases a row and code size (default 60; where the host gives fewer
 * sizes, those have the others' cases too), {@code -Doracle.seed=N,M…} the first seeds of as many
 * runs (default 0 and 20000), {@code -Doracle.meaning=REGEX} only rows of these meanings, {@code
 * -Doracle.shown=N} mismatches a row printed, {@code -Doracle.rows=N} rows printed. {@code
 * CONTRIBUTING.md} has a command line.
 */
final class HostOracleIT {
  private static final int CASES = Integer.getInteger("oracle.cases", 60);
  private static final String FIRST_SEEDS = System.getProperty("oracle.seed", "0,20000");
  private static final String MEANINGS = System.getProperty("oracle.meaning", ".*");
  private static final int SHOWN = Integer.getInteger("oracle.shown", 1);
  private static final int ROWS_SHOWN = Integer.getInteger("oracle.rows", 40);

  private final CaseGenerator generator = new CaseGenerator();
  private final List<String> mismatches = new ArrayList<>();
  private final List<String> uncounted = new ArrayList<>();
  private final Map<String, List<String>> uncompared = new TreeMap<>();
  private final Map<String, Integer> byVendor = new TreeMap<>();
  private final CpuModel.Vendor vendor = HostFeatures.vendor();
  private int cases;
  private int rows;
  private int refused;
  private HostCpu.Limits limits;

  static LongStream firstSeeds() {
    return Stream.of(FIRST_SEEDS.split(",")).mapToLong(Long::parseLong);
  }

  @ParameterizedTest(name = "first seed {0}")
  @MethodSource("firstSeeds")
  void everyRowOfTheInstructionTableDoesWhatTheHostsCpuDoes(long firstSeed) throws Exception {
    Set<Feature> features = HostCpuid.features();
    limits = HostCpu.Limits.ofThisHost();
    try (var host = new HostCpu();
        var ours = new InterpretedCpu(model(), Interpreter::new, false)) {
      for (Row row : InstructionTable.rows()) {
        String reason = Uncompared.reason(row, features, limits);
        if (reason != null) {
          uncompared.computeIfAbsent(reason, r -> new ArrayList<>()).add(row.toString());
        } else if (row.meaning().matches(MEANINGS)) {
          compare(row, firstSeed, host, ours);
        }
      }
    }
    uncompared.forEach(
        (reason, names) -> System.out.println("not compared, " + reason + ": " + names));
    byVendor.forEach(
        (reason, count) ->
            System.out.println("other on " + vendor + ", " + reason + ": " + count + " cases"));
    if (limits.paravirtual() || refused > 0) {
      System.out.println(
          "the host's kernel gives code of the sizes "
              + limits.codeSizes()
              + " alone; cases with a stack pointer that it refuses: "
              + refused);
    }
    System.out.println("oracle: " + rows + " rows, " + cases + " cases, first seed " + firstSeed);
    if (!mismatches.isEmpty() || !uncounted.isEmpty()) {
      fail(
          mismatches.size()
              + " rows differ from the host's CPU; the first ones:\n"
              + String.join("\n", mismatches.subList(0, Math.min(ROWS_SHOWN, mismatches.size())))
              + (uncounted.isEmpty() ? "" : "\nrows without a counting case: " + uncounted));
    }
  }

  /** The default model with every feature that brings instructions, offered or not. */
  static CpuModel model() {
    CpuModel m = CpuModel.DEFAULT;
    return new CpuModel(
        "oracle",
        "all rows",
        m.vendor(),
        m.brand(),
        m.family(),
        m.model(),
        m.stepping(),
        m.physicalBits(),
        m.highestBasic(),
        m.highestExtended(),
        EnumSet.allOf(Feature.class),
        m.system());
  }

  private void compare(Row row, long firstSeed, HostCpu host, InterpretedCpu ours)
      throws Exception {
    List<CaseGenerator.Case> drawn = new ArrayList<>();
    int all = HostCpu.Limits.NONE.codeSizes().size() * CASES;
    int each = all / limits.codeSizes().size();
    for (int mode : limits.codeSizes()) {
      for (long seed = firstSeed; Uncompared.inMode(row, mode) && seed < firstSeed + each; seed++) {
        CaseGenerator.Case c = generator.make(row, mode, seed);
        if (c != null && limits.allow(c.image())) {
          drawn.add(c);
        } else if (c != null) {
          refused++;
        }
      }
    }
    List<CpuImage> wanted = host.run(drawn.stream().map(CaseGenerator.Case::image).toList());
    boolean counted = Uncompared.changesNothing(row);
    int different = 0;
    var report = new StringBuilder();
    for (int i = 0; i < drawn.size(); i++) {
      CaseGenerator.Case c = drawn.get(i);
      counted |= Comparison.counts(c, wanted.get(i));
      String lines = differences(c, wanted.get(i), ours);
      if (!lines.isEmpty() && limits.paravirtual()) { // it may lose FS's base to another process
        lines = differences(c, host.run(List.of(c.image())).getFirst(), ours);
      }
      if (!lines.isEmpty() && different++ < SHOWN) {
        report.append(describe(c, wanted.get(i), lines));
      }
    }
    if (different > 0) {
      mismatches.add(row.meaning() + ": " + different + " of " + drawn.size() + " cases" + report);
    }
    if (!counted) {
      uncounted.add(row.toString());
    }
    rows++;
    cases += drawn.size();
  }

  /** What differs and is no difference between vendors, in words; empty if nothing. */
  private String differences(CaseGenerator.Case c, CpuImage want, InterpretedCpu ours) {
    try {
      CpuImage got = ours.run(c.image());
      List<Comparison.Difference> all = Comparison.differences(c, want, got);
      String reason = all.isEmpty() ? null : VendorDifferences.reason(vendor, c, want, got, all);
      if (reason != null) {
        byVendor.merge(reason, 1, Integer::sum);
        return "";
      }
      return all.stream().map(Comparison.Difference::toString).collect(Collectors.joining("; "));
    } catch (RuntimeException | AssertionError e) {
      return "the interpreter threw " + e + " at " + List.of(e.getStackTrace()).subList(0, 3);
    }
  }

  private static String describe(CaseGenerator.Case c, CpuImage want, String lines) {
    return "\n  %s  mode %d seed %d  %s  %s\n    in:   %s\n    host: %s\n    %s"
        .formatted(
            c.row(),
            c.mode(),
            c.seed(),
            HexFormat.of().formatHex(c.bytes()),
            Disassembler.text(c.insn(), c.image().rip),
            c.image(),
            want,
            lines);
  }
}
