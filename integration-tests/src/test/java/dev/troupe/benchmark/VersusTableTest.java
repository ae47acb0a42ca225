package dev.troupe.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.troupe.benchmark.VersusTable.Row;
import dev.troupe.benchmark.VersusTable.Side;
import dev.troupe.benchmark.VersusTable.Verdict;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VersusTableTest {
  private static VersusTable table(Map<String, Double> qemu, Map<String, Double> troupe) {
    VersusTable table = new VersusTable();
    table.add(Side.QEMU, qemu);
    table.add(Side.TROUPE, troupe);
    return table;
  }

  private static Map<String, Double> each(List<String> tests, double time) {
    Map<String, Double> times = new TreeMap<>();
    tests.forEach(test -> times.put(test, time));
    return times;
  }

  private static Row row(List<Row> rows, String name) {
    return rows.stream().filter(r -> r.cells().getFirst().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void theGeometricMeanWeighsTwiceAsFastAndTwiceAsSlowTheSame() {
    assertThat(VersusTable.geometricMean(List.of(2.0, 0.5))).isCloseTo(1, within(1e-12));
    assertThat(VersusTable.geometricMean(List.of(1.0, 2.0, 4.0))).isCloseTo(2, within(1e-12));
    assertThat(VersusTable.geometricMean(List.of(1.0, Double.NaN))).isNaN();
  }

  @ParameterizedTest
  @CsvSource({
    "0.95, 1, 0.95, MET",
    "0.94, 1, 0.95, UNMET",
    "1.99, 2, 2, UNMET",
    "2, 2, 2, MET",
    "NaN, 2, 2, UNMET",
    "0.1, 0, 0, NONE"
  })
  void aFigureIsMetFromWhatIsAcceptedOn(
      double figure, double wanted, double accepted, Verdict verdict) {
    assertThat(new Row(List.of("row"), figure, wanted, accepted).verdict()).isEqualTo(verdict);
  }

  @Test
  void aFigureIsTheMediansRatio() {
    VersusTable table = table(Map.of("x87", 700.0), Map.of("x87", 100.0));
    table.add(Side.QEMU, Map.of("x87", 650.0));
    table.add(Side.QEMU, Map.of("x87", 9000.0));
    assertThat(row(table.speeds(), "x87"))
        .isEqualTo(new Row(List.of("x87", "700 ns", "100 ns", ""), 7, 6, 6));
  }

  @Test
  void aMeanNeedsAllOfItsTests() {
    Map<String, Double> tests = each(VersusTable.INTEGER, 100);
    VersusTable integers = table(each(VersusTable.INTEGER, 300), tests);
    assertThat(row(integers.speeds(), "integer compute, geometric mean").verdict())
        .isEqualTo(Verdict.MET);
    assertThat(integers.speeds()).hasSize(1 + VersusTable.INTEGER.size());
    tests.remove("chase");
    assertThat(table(each(VersusTable.INTEGER, 300), tests).speeds())
        .hasSize(VersusTable.INTEGER.size() - 1);
  }

  @Test
  void bootsAreOneFigureOfQemusAgainstBothOfOurs() {
    VersusTable table =
        table(
            Map.of(VersusTable.BOOT, 2e9),
            Map.of(VersusTable.BOOT, 3e9, VersusTable.WARM_BOOT, 1.6e9));
    assertThat(table.speeds().stream().map(Row::verdict))
        .containsExactly(Verdict.MET, Verdict.UNMET, Verdict.MET);
    assertThat(table.met()).isFalse();
  }

  @Test
  void aSecondThreadIsComparedWithWhatItIsWorthNatively() {
    VersusTable table = table(Map.of("mt-int", 50.0), Map.of("mt-int", 50.0));
    table.add(Side.TROUPE_ONE_THREAD, Map.of("mt-int", 85.0));
    table.add(Side.NATIVE, Map.of("mt-int", 5.0));
    table.add(Side.NATIVE_ONE_THREAD, Map.of("mt-int", 10.0));
    assertThat(row(table.gains(), "mt-int"))
        .isEqualTo(new Row(List.of("mt-int", "1.70", "2.00"), 0.85, 0.9, 0.9));
    assertThat(row(table.speeds(), "mt-int").verdict()).isEqualTo(Verdict.MET);
    assertThat(table.met()).isFalse();
  }

  @Test
  void aTableIsMarkdownInColumns() {
    assertThat(table(Map.of("clock", 100.0), Map.of("clock", 2000.0)).markdown())
        .isEqualTo(
            """
            |       | QEMU   | Troupe  | Troupe ÷ native | QEMU ÷ Troupe | wanted | met    |
            | ----- | ------ | ------- | --------------- | ------------- | ------ | ------ |
            | clock | 100 ns | 2.00 µs |                 | 0.05          | 1.00   | **no** |
            """);
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 0.50 ns",
    "999.4, 999 ns",
    "999500, 1.00 ms",
    "12345678, 12.3 ms",
    "4e12, 4000 s"
  })
  void aDurationHasThreeDigitsAndTheUnitThatFits(double nanos, String text) {
    assertThat(VersusTable.duration(nanos)).isEqualTo(text);
  }

  @Test
  void aReportReplacesOnlyTheOneBefore() {
    Measured part = new Measured("versus-qemu");
    String begin = part.begin();
    String end = part.end();
    String document = "before\n" + begin + "\nold\n" + end + "\nafter\n";
    String once = part.spliced(document, "new\n");
    assertThat(once).isEqualTo("before\n" + begin + "\n\nnew\n\n" + end + "\nafter\n");
    assertThat(part.spliced(once, "new\n")).isEqualTo(once);
    assertThatThrownBy(() -> part.spliced("no marks", "new"))
        .hasMessageContaining("docs/performance.md: no line '" + begin + "'");
  }
}
