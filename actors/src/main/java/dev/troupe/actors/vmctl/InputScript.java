package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordText;
import dev.troupe.actors.journal.VirtualTime;
import dev.troupe.actors.schedule.ScriptedInput;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of inputs with positions, a line each:
 *
 * <pre>
 * # what enters a machine, and where
 * t:2.5s console "uname -m\n"
 * i:2000000000 console "poweroff -f\r"
 * i:2000000000 t:30s power-button
 * </pre>
 *
 * <p>{@code i:N} is a number of retired instructions, {@code t:D} virtual time since power-on in
 * {@code ns}, {@code us}, {@code ms} or {@code s}; an input with both waits for both, and for those
 * before it. Strings have the escapes {@code \n \r \t \e \\ \" \xHH}.
 */
final class InputScript {
  /** Longest script: a day's typing, far above what a test needs. */
  private static final long MAX_BYTES = 16 << 20;

  private static final Pattern LINE =
      Pattern.compile("((?:[it]:\\S+\\s+){1,2})(console\\s+(\".*\")|power-button)");

  private InputScript() {}

  /**
   * Reads a script.
   *
   * @throws UserException with file, line, value and what was expected
   */
  static List<ScriptedInput> read(Path file) {
    List<String> lines;
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw bad(file, "%d bytes, expected at most %d".formatted(Files.size(file), MAX_BYTES));
      }
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw bad(file, "not UTF-8 text");
    } catch (IOException e) {
      throw bad(file, Files.exists(file) ? "cannot be read: " + e.getMessage() : "no such file");
    }
    List<ScriptedInput> inputs = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#")) {
        try {
          inputs.add(parse(line));
        } catch (IllegalArgumentException e) {
          throw bad(file, "line %d: %s".formatted(i + 1, e.getMessage()));
        }
      }
    }
    return inputs;
  }

  private static UserException bad(Path file, String what) {
    return new UserException(ExitCode.USAGE, "inputs " + file + ": " + what);
  }

  static ScriptedInput parse(String line) {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s', expected i:N and/or t:D, then console \"TEXT\" or power-button".formatted(line));
    }
    Position position = Position.parse(matcher.group(1).strip().split("\\s+"));
    ScriptedInput.Input input =
        matcher.group(3) == null
            ? new ScriptedInput.PowerButton()
            : new ScriptedInput.Console(bytes(matcher.group(3)));
    return new ScriptedInput(position.instructions, position.nanos, input);
  }

  /** Where something happens: 0 for what is not given. */
  record Position(long instructions, long nanos) {
    static Position parse(String... words) {
      long instructions = 0;
      long nanos = 0;
      for (String word : words) {
        String value = word.length() > 2 ? word.substring(2) : "";
        if (word.startsWith("i:") && value.matches("\\d{1,18}")) {
          instructions = Long.parseLong(value);
        } else if (word.startsWith("t:") && VirtualTime.isTime(value)) {
          nanos = VirtualTime.nanos(value);
        } else {
          throw new IllegalArgumentException(
              "'%s' is no position, expected i:N or t:D such as t:2.5s".formatted(word));
        }
      }
      return new Position(instructions, nanos);
    }
  }

  private static byte[] bytes(String quoted) {
    String text = quoted.substring(1, quoted.length() - 1);
    if (text.replaceAll("(?s)\\\\.", "").indexOf('"') >= 0) {
      throw new IllegalArgumentException("a '\"' within %s, expected \\\"".formatted(quoted));
    }
    return RecordText.bytes(text);
  }
}
