package dev.troupe.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@link ClusterLoad} has measured, as a table. */
final class ClusterFigures {
  /**
   * A row.
   *
   * @param wanted for people; empty if nothing is wanted
   * @param met whether it is so; of no meaning if nothing is wanted
   */
  record Figure(String what, String measured, String wanted, boolean met) {}

  private final List<Figure> figures = new ArrayList<>();

  /** Adds what is only told. */
  void told(String what, String measured) {
    add(new Figure(what, measured, "", true));
  }

  /** Adds what must not be more than something. */
  void atMost(String what, double value, String unit, double most) {
    add(new Figure(what, text(value, unit), "at most " + text(most, unit), value <= most));
  }

  /** Adds what must be all of something. */
  void all(String what, int count, int wanted) {
    add(new Figure(what, count + " of " + wanted, "all", count == wanted));
  }

  private void add(Figure figure) {
    figures.add(figure);
    System.err.println(
        "cluster-load: " + figure.what() + ": " + figure.measured() + (figure.met() ? "" : " (!)"));
  }

  /** Whether nothing that is wanted is missed. */
  boolean met() {
    return figures.stream().allMatch(Figure::met);
  }

  /** The table in Markdown. */
  String markdown() {
    return VersusTable.table(
        List.of("what", "measured", "wanted", "met"),
        figures.stream()
            .map(
                figure ->
                    List.of(
                        figure.what(),
                        figure.measured(),
                        figure.wanted(),
                        figure.wanted().isEmpty() ? "" : figure.met() ? "yes" : "**no**"))
            .toList());
  }

  /** Two digits that count, or whole numbers. */
  static String text(double value, String unit) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : "%.0f %s", value, unit);
  }
}
