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

  private static final List<Row> ROWS = new InstructionTable().load();

  private final Map<String, Feature> features = new LinkedHashMap<>();
  private final Map<String, Integer> checkBits = new LinkedHashMap<>();
  private final Map<String, String> strings = new LinkedHashMap<>();
  private final List<Row> rows = new ArrayList<>(1500);

  /** Where each column of the row in hand starts and ends, without the blanks around it. */
  private final int[] start = new int[COLUMNS];

  private final int[] end = new int[COLUMNS];

  private InstructionTable() {
    for (Feature feature : Feature.values()) {
      features.put(feature.name(), feature);
    }
    for (int i = 0; i < Row.CHECKS.size(); i++) {
      checkBits.put(Row.CHECKS.get(i), 1 << i);
    }
  }

  /** Every row, at its number. */
  public static List<Row> rows() {
    return ROWS;
  }

  // Runs at each start, before anything is compiled: bytes and loops, no regular expressions, no
  // lambdas.
  private List<Row> load() {
    for (String file : FILES) {
      byte[] text = read(file);
      int line = 1;
      for (int at = 0; at < text.length; line++) {
        if (text[at] == '#' || text[at] == '\n') {
          while (text[at++] != '\n') {}
          continue;
        }
        int from = at;
        try {
          at = columns(text, at);
          rows.add(row(text));
        } catch (RuntimeException e) {
          throw new IllegalStateException(
              "instruction table: file=" + file + " line=" + line + " offset=" + from, e);
        }
      }
    }
    return List.copyOf(rows);
  }

  private static byte[] read(String file) {
    try (InputStream in = InstructionTable.class.getResourceAsStream(file + ".table")) {
      if (in == null) {
        throw new IllegalStateException("instruction table missing: file=" + file);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Finds the columns of the row at {@code from}; returns the start of the next line. */
  private int columns(byte[] text, int from) {
    int at = from;
    for (int column = 0; column < COLUMNS; column++) {
      while (text[at] == ' ') {
        at++;
      }
      start[column] = at;
      int last = at;
      byte stop = column == COLUMNS - 1 ? (byte) '\n' : (byte) '|';
      for (byte b = text[at]; b != stop; b = text[++at]) {
        if (b == '\n') {
          throw new IllegalArgumentException("columns=" + (column + 1) + " expected=" + COLUMNS);
        }
        if (b != ' ') {
          last = at + 1;
        }
      }
      end[column] = last;
      at++;
    }
    return at;
  }

  private Row row(byte[] text) {
    int mnemonicEnd = until(text, start[1], end[1], ' ');
    List<OperandCode> operands = new ArrayList<>(4);
    for (int at = mnemonicEnd + 1; at < end[1]; ) {
      int comma = until(text, at, end[1], ',');
      operands.add(OperandCode.of(string(text, at, comma)));
      at = comma + 1;
    }
    String access = operands.isEmpty() ? "" : string(text, start[2], end[2]);
    if (access.length() != operands.size()) {
      throw new IllegalArgumentException("access=" + access + " operands=" + operands);
    }
    String feature = string(text, start[3], end[3]);
    int arrow = until(text, start[5], end[5], '>');
    int question = until(text, start[5], end[5], '?');
    return new Row(
        rows.size(),
        Opcode.parse(string(text, start[0], end[0])),
        string(text, start[1], mnemonicEnd),
        List.copyOf(operands),
        shared(access),
        Objects.requireNonNull(features.get(feature), feature),
        checks(text),
        arrow < end[5] ? flags(text, start[5], arrow) : 0,
        flags(text, Math.min(arrow + 1, end[5]), question),
        flags(text, Math.min(question + 1, end[5]), end[5]),
        shared(string(text, start[6], end[6])));
  }

  private int checks(byte[] text) {
    int checks = 0;
    if (text[start[4]] == '-') {
      return 0;
    }
    for (int at = start[4]; at < end[4]; ) {
      int blank = until(text, at, end[4], ' ');
      String name = string(text, at, blank);
      checks |= Objects.requireNonNull(checkBits.get(name), name);
      at = blank + 1;
    }
    return checks;
  }

  private static int flags(byte[] text, int from, int to) {
    int bits = 0;
    for (int at = from; at < to; at++) {
      bits |= FLAG_BITS[FLAG_LETTERS.indexOf(text[at])];
    }
    return bits;
  }

  private static int until(byte[] text, int from, int to, char stop) {
    int at = from;
    while (at < to && text[at] != stop) {
      at++;
    }
    return at;
  }

  private static String string(byte[] text, int from, int to) {
    return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
  }

  /** One String a name, so that rows of the same meaning share it. */
  private String shared(String text) {
    String known = strings.putIfAbsent(text, text);
    return known == null ? text : known;
  }
}
