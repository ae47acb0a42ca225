package dev.troupe.actors.journal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Numbers and bytes as users write and read them. */
public final class RecordText {
  private static final String LETTERS = "nrte\\\"";
  private static final String MEANT = "\n\r\t\u001b\\\"";

  private RecordText() {}

  /** Whether a text is a number that {@link #number} takes. */
  public static boolean isNumber(String text) {
    return text.matches("0[xX][0-9a-fA-F]{1,16}|\\d{1,18}");
  }

  /** A number, unsigned; in hexadecimal after {@code 0x}. */
  public static long number(String text) {
    return text.length() > 2 && (text.charAt(1) | 0x20) == 'x'
        ? Long.parseUnsignedLong(text.substring(2), 16)
        : Long.parseLong(text);
  }

  /** Bytes in letters: those that are none as {@code \n \r \t \e \\ \" \xHH}. */
  static String of(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      int letter = b & 0xFF;
      int escape = MEANT.indexOf(letter);
      if (escape >= 0) {
        text.append('\\').append(LETTERS.charAt(escape));
      } else if (letter < ' ' || letter > '~') {
        text.append("\\x%02x".formatted(letter));
      } else {
        text.append((char) letter);
      }
    }
    return text.toString();
  }

  /**
   * Reads such letters; others than ASCII are their UTF-8.
   *
   * @throws IllegalArgumentException if an escape is none
   */
  public static byte[] bytes(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int i = 0;
    while (i < text.length()) {
      int point = text.codePointAt(i);
      if (point != '\\') {
        out.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
        i += Character.charCount(point);
        continue;
      }
      String escape = text.substring(i);
      if (escape.matches("(?s)\\\\x[0-9a-fA-F]{2}.*")) {
        out.write(Integer.parseInt(escape.substring(2, 4), 16));
        i += 4;
        continue;
      }
      int at = escape.length() < 2 ? -1 : LETTERS.indexOf(escape.charAt(1));
      if (at < 0) {
        throw new IllegalArgumentException(
            "escape in \"%s\", expected \\n \\r \\t \\e \\\\ \\\" or \\xHH".formatted(text));
      }
      out.write(MEANT.charAt(at));
      i += 2;
    }
    return out.toByteArray();
  }
}
