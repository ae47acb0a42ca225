package dev.troupe.actors.client;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A table for people. Columns are as wide as said, or as their widest text; the last one ends. */
final class Table<T> {
  /** A column; {@code width} is its least, negative if its text stands on the left. */
  private record Column<T>(String title, int width, Function<T, String> text) {}

  private final List<Column<T>> columns = new ArrayList<>();

  /** One more column to the right. */
  Table<T> column(String title, int width, Function<T, String> text) {
    columns.add(new Column<>(title, width, text));
    return this;
  }

  /** The title and a line for each row. */
  String write(List<T> rows) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(columns.stream().map(Column::title).toList());
    for (T row : rows) {
      cells.add(columns.stream().map(c -> printable(c.text().apply(row))).toList());
    }
    StringBuilder out = new StringBuilder();
    for (List<String> line : cells) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < columns.size(); i++) {
        text.append(i == 0 ? "" : " ").append(padded(cells, line, i));
      }
      out.append(text.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }

  private String padded(List<List<String>> cells, List<String> line, int column) {
    int least = columns.get(column).width();
    int width = Math.abs(least);
    for (List<String> other : cells) {
      width = Math.max(width, other.get(column).length());
    }
    String space = " ".repeat(width - line.get(column).length());
    return least < 0 ? line.get(column) + space : space + line.get(column);
  }

  /** Nothing that a terminal would obey. */
  private static String printable(String text) {
    return text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
  }
}
