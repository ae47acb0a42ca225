package dev.troupe.actors.client;

import java.util.List;
import java.util.Map;
import tools.jackson.core.io.JsonStringEncoder;

/** How a command's output is written. */
enum Format {
  /** For people. */
  TABLE,
  JSON,
  YAML;

  /** One document, with its end. */
  String write(Value value) {
    StringBuilder out = new StringBuilder();
    switch (this) {
      case JSON -> json(out, value);
      case YAML -> yaml(out, value, 0, true);
      case TABLE -> throw new IllegalStateException("a table is not written from values");
    }
    return out.append(out.charAt(out.length() - 1) == '\n' ? "" : "\n").toString();
  }

  /** One of several documents. */
  String writePart(Value value) {
    return this == YAML ? "---\n" + write(value) : write(value);
  }

  private static void json(StringBuilder out, Value value) {
    switch (value) {
      case Value.Items(List<Value> items) -> {
        String separator = "[";
        for (Value item : items) {
          out.append(separator);
          json(out, item);
          separator = ",";
        }
        out.append(items.isEmpty() ? "[]" : "]");
      }
      case Value.Fields(var fields) -> {
        String separator = "{";
        for (Map.Entry<String, Value> field : fields.entrySet()) {
          out.append(separator);
          quote(out, field.getKey());
          out.append(':');
          json(out, field.getValue());
          separator = ",";
        }
        out.append(fields.isEmpty() ? "{}" : "}");
      }
      default -> scalar(out, value);
    }
  }

  /**
   * Block style; every text is quoted, and then as in JSON: so none is taken for a number, a date
   * or a no.
   *
   * @param begun whether the line is empty but for its indentation
   */
  private static void yaml(StringBuilder out, Value value, int depth, boolean begun) {
    boolean first = begun;
    switch (value) {
      case Value.Items(List<Value> items) when !items.isEmpty() -> {
        for (Value item : items) {
          begin(out, depth, first);
          out.append("- ");
          yaml(out, item, depth + 1, true);
          first = false;
        }
      }
      case Value.Fields(var fields) when !fields.isEmpty() -> {
        for (Map.Entry<String, Value> field : fields.entrySet()) {
          begin(out, depth, first);
          quoteKey(out, field.getKey());
          out.append(':');
          if (!isBlock(field.getValue())) {
            out.append(' ');
          } else {
            out.append('\n');
          }
          yaml(out, field.getValue(), depth + 1, false);
          first = false;
        }
      }
      case Value.Items ignored -> out.append("[]\n");
      case Value.Fields ignored -> out.append("{}\n");
      default -> {
        scalar(out, value);
        out.append('\n');
      }
    }
  }

  private static boolean isBlock(Value value) {
    return switch (value) {
      case Value.Items(List<Value> items) -> !items.isEmpty();
      case Value.Fields(var fields) -> !fields.isEmpty();
      default -> false;
    };
  }

  private static void begin(StringBuilder out, int depth, boolean begun) {
    if (!begun) {
      out.append("  ".repeat(depth));
    }
  }

  /** Keys of ours are plain words; those of labels may be anything. */
  private static void quoteKey(StringBuilder out, String key) {
    if (key.matches("[a-z][a-z_]*") && !key.matches("y|n|yes|no|on|off|true|false|null")) {
      out.append(key);
    } else {
      quote(out, key);
    }
  }

  private static void scalar(StringBuilder out, Value value) {
    switch (value) {
      case Value.Text(String text) -> quote(out, text);
      case Value.Digits(String digits) -> out.append(digits);
      case Value.Flag(boolean set) -> out.append(set);
      default -> out.append("null");
    }
  }

  private static void quote(StringBuilder out, String text) {
    out.append('"').append(JsonStringEncoder.getInstance().quoteAsCharArray(text)).append('"');
  }
}
