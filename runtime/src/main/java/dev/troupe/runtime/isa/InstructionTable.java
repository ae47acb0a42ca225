package dev.troupe.runtime.isa;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All rows, read from the {@code .table} resources once per process; the form is explained at the
 * head of integer.table.
 */
public final class InstructionTable {
  private static final List<String> FILES =
      List.of("integer", "system", "x87", "mmx", "sse", "sse2", "sse4");
  private static final int COLUMNS = 7;
  private static final String FLAG_LETTERS = "CPAZSTIDOLNRVK";
  private static final int[] FLAG_BITS = {
    1, 1 << 2, 1 << 4, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 3 << 12, 1 << 14, 1 << 16,
    1 << 17, 1 << 18
  };

  private static final List<Row> ROWS = load();

  private InstructionTable() {}

  /** Every row, at its number. */
  public static List<Row> rows() {
    return ROWS;
  }

  private static List<Row> load() {
    List<Row> rows = new ArrayList<>(1500);
    Map<String, Integer> checkBits = new LinkedHashMap<>();
    for (int i = 0; i < Row.CHECKS.size(); i++) {
      checkBits.put(Row.CHECKS.get(i), 1 << i);
    }
    Map<String, Feature> features = new LinkedHashMap<>();
    for (Feature feature : Feature.values()) {
      features.put(feature.name(), feature);
    }
    Map<String, String> strings = new LinkedHashMap<>();
    String[] columns = new String[COLUMNS];
    for (String file : FILES) {
      String text = read(file);
      int line = 0;
      for (int at = 0; at < text.length(); ) {
        int end = text.indexOf('\n', at);
        end = end < 0 ? text.length() : end;
        line++;
        if (end > at && text.charAt(at) != '#') {
          split(text, at, end, columns);
          try {
            rows.add(row(rows.size(), columns, checkBits, features, strings));
          } catch (RuntimeException e) {
            throw new IllegalStateException(
                "instruction table: file="
                    + file
                    + " line="
                    + line
                    + " text="
                    + text.substring(at, end),
                e);
          }
        }
        at = end + 1;
      }
    }
    return List.copyOf(rows);
  }

  private static String read(String file) {
    try (InputStream in = InstructionTable.class.getResourceAsStream(file + ".table")) {
      if (in == null) {
        throw new IllegalStateException("instruction table missing: file=" + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void split(String text, int from, int to, String[] columns) {
    int at = from;
    for (int i = 0; i < COLUMNS; i++) {
      int bar = i == COLUMNS - 1 ? to : text.indexOf('|', at);
      if (bar < 0 || bar > to) {
        throw new IllegalStateException(
            "instruction table: columns=" + i + " text=" + text.substring(from, to));
      }
      columns[i] = text.substring(at, bar).strip();
      at = bar + 1;
    }
  }

  private static Row row(
      int number,
      String[] columns,
      Map<String, Integer> checkBits,
      Map<String, Feature> features,
      Map<String, String> strings) {
    String instruction = columns[1];
    int space = instruction.indexOf(' ');
    List<OperandCode> operands = new ArrayList<>(4);
    if (space >= 0) {
      for (String operand : instruction.substring(space + 1).split(",")) {
        operands.add(OperandCode.of(operand));
      }
    }
    String access = columns[2].equals("-") ? "" : columns[2];
    if (access.length() != operands.size()) {
      throw new IllegalArgumentException("access=" + access + " operands=" + operands);
    }
    Feature feature = features.get(columns[3]);
    int checks = 0;
    if (!columns[4].equals("-")) {
      for (String check : columns[4].split(" ")) {
        checks |= checkBits.get(check);
      }
    }
    String flags = columns[5].equals("-") ? "" : columns[5];
    int question = flags.indexOf('?');
    int undefined = question < 0 ? 0 : flags(flags.substring(question + 1));
    flags = question < 0 ? flags : flags.substring(0, question);
    int arrow = flags.indexOf('>');
    int read = arrow < 0 ? 0 : flags(flags.substring(0, arrow));
    int written = arrow < 0 ? 0 : flags(flags.substring(arrow + 1));
    return new Row(
        number,
        Opcode.parse(columns[0]),
        space < 0 ? instruction : instruction.substring(0, space),
        List.copyOf(operands),
        access,
        Objects.requireNonNull(feature, columns[3]),
        checks,
        read,
        written,
        undefined,
        strings.computeIfAbsent(columns[6], name -> name));
  }

  private static int flags(String letters) {
    int bits = 0;
    for (int i = 0; i < letters.length(); i++) {
      bits |= FLAG_BITS[FLAG_LETTERS.indexOf(letters.charAt(i))];
    }
    return bits;
  }
}
