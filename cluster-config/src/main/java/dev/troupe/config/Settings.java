package dev.troupe.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Reads settings one by one and goes on after a bad one, so that all that is wrong is said at once.
 * A reader gives something of its type in any case; it is never used after a problem.
 */
final class Settings {
  private record Problem(String path, String file, int line, String text) {
    @Override
    public String toString() {
      return file + (line > 0 ? ":" + line : "") + ": " + text;
    }
  }

  /** As far as a typing error goes: that many letters wrong. */
  private static final int CLOSE = 3;

  private final Config config;
  private final List<Problem> problems = new ArrayList<>();

  /**
   * Settings to read.
   *
   * @param config resolved
   */
  Settings(Config config) {
    this.config = config;
  }

  // --- Problems ----------------------------------------------------------------------------------

  /** Ends the reading; throws if something was wrong. */
  void finish() throws ConfigurationException {
    if (!problems.isEmpty()) {
      throw new ConfigurationException(
          problems.stream()
              .sorted(Comparator.comparing(Problem::file).thenComparingInt(Problem::line))
              .map(Problem::toString)
              .distinct()
              .toList());
    }
  }

  /** The value at a path is not what was expected. */
  void bad(String path, String expected) {
    ConfigValue value = at(path);
    add(path, value.origin(), path + " = " + shown(path, value) + ": expected " + expected);
  }

  /** Whether nothing was wrong with a path so far. */
  boolean good(String path) {
    return problems.stream().noneMatch(problem -> problem.path().equals(path));
  }

  /** Whether a path has what its role has unless something else is said. */
  boolean isDefault(String path) {
    return at(path).origin().resource() != null;
  }

  private void add(String path, ConfigOrigin origin, String text) {
    problems.add(new Problem(path, place(origin), origin.lineNumber(), text));
  }

  /** A file's name, or what else the origin says. */
  static String place(ConfigOrigin origin) {
    if (origin.filename() != null) {
      return Path.of(origin.filename()).normalize().toString();
    }
    return origin.resource() != null ? origin.resource() : origin.description();
  }

  private static String shown(String path, ConfigValue value) {
    if (path.toLowerCase(Locale.ROOT).endsWith("password")) {
      return "(not shown)";
    }
    return value.valueType() == ConfigValueType.STRING
        ? (String) value.unwrapped()
        : value.render(ConfigRenderOptions.concise());
  }

  private ConfigValue at(String path) {
    ConfigValue value = config.root();
    for (String key : ConfigUtil.splitPath(path)) {
      value = ((ConfigObject) value).get(key);
    }
    return value;
  }

  // --- Names -------------------------------------------------------------------------------------

  /**
   * Complains of what is not known below a path.
   *
   * @param known has all there is, with its defaults
   * @param open paths below which a user names things
   */
  void checkNames(String path, Config known, List<String> open) throws ConfigurationException {
    boolean sections =
        at(path) instanceof ConfigObject found
            ? checkNames(path, found, known.getObject(path), open)
            : checkSection(path, at(path), known.getObject(path));
    if (!sections) {
      finish(); // what is in them cannot be read
    }
  }

  private boolean checkNames(
      String path, ConfigObject found, ConfigObject known, List<String> open) {
    boolean sections = true;
    for (Map.Entry<String, ConfigValue> entry : new TreeMap<>(found).entrySet()) {
      String name = path + "." + ConfigUtil.joinPath(entry.getKey());
      ConfigValue expected = known.get(entry.getKey());
      if (expected == null) {
        add(name, origin(entry.getValue()), name + ": unknown; " + suggestion(path, name, known));
      } else if (expected instanceof ConfigObject section) {
        if (!(entry.getValue() instanceof ConfigObject inside)) {
          sections &= checkSection(name, entry.getValue(), section);
        } else if (!open.contains(name)) {
          sections &= checkNames(name, inside, section, open);
        }
      }
    }
    return sections;
  }

  private boolean checkSection(String path, ConfigValue value, ConfigObject known) {
    add(
        path,
        value.origin(),
        path + " = " + shown(path, value) + ": expected a section " + names(known) + " { }");
    return false;
  }

  /** Of an object the place of the first thing in it: its own may be of several files. */
  private static ConfigOrigin origin(ConfigValue value) {
    return value instanceof ConfigObject object && !object.isEmpty()
        ? origin(new TreeMap<>(object).firstEntry().getValue())
        : value.origin();
  }

  private static String names(ConfigObject known) {
    return known.isEmpty()
        ? "of names and values"
        : String.join(", ", new TreeMap<>(known).keySet());
  }

  private static String suggestion(String path, String name, ConfigObject known) {
    String given = name.substring(path.length() + 1);
    return known.keySet().stream()
        .min(
            Comparator.comparingInt((String key) -> distance(given, key))
                .thenComparing(key -> !key.startsWith(given))
                .thenComparing(key -> key))
        .filter(key -> distance(given, key) <= Math.min(CLOSE, key.length() / 2))
        .map(key -> "did you mean " + path + "." + key + "?")
        .orElse(path + " has " + names(known));
  }

  /** How many letters must be added, dropped, changed or swapped with the next one. */
  private static int distance(String left, String right) {
    int[][] best = new int[left.length() + 1][right.length() + 1];
    for (int i = 0; i <= left.length(); i++) {
      for (int j = 0; j <= right.length(); j++) {
        if (i == 0 || j == 0) {
          best[i][j] = i + j;
          continue;
        }
        boolean same = left.charAt(i - 1) == right.charAt(j - 1);
        best[i][j] =
            Math.min(
                best[i - 1][j - 1] + (same ? 0 : 1), 1 + Math.min(best[i - 1][j], best[i][j - 1]));
        if (i > 1
            && j > 1
            && left.charAt(i - 1) == right.charAt(j - 2)
            && left.charAt(i - 2) == right.charAt(j - 1)) {
          best[i][j] = Math.min(best[i][j], best[i - 2][j - 2] + 1);
        }
      }
    }
    return best[left.length()][right.length()];
  }

  // --- Values ------------------------------------------------------------------------------------

  /** Whether a path has been given something other than the empty text or list. */
  boolean given(String path) {
    ConfigValue value = at(path);
    return switch (value.valueType()) {
      case NULL -> false;
      case STRING -> !((String) value.unwrapped()).isEmpty();
      case LIST -> !((ConfigList) value).isEmpty();
      case OBJECT -> !((ConfigObject) value).isEmpty();
      default -> true;
    };
  }

  /** Whether a path has this text. */
  boolean is(String path, String text) {
    return text.equals(at(path).unwrapped());
  }

  /** Any text. */
  String text(String path, String expected) {
    return read(path, expected, "", value -> Optional.of(config.getString(path)));
  }

  /** Text that a pattern matches all of. */
  String text(String path, String pattern, String expected) {
    return read(
        path,
        expected,
        "",
        value -> Optional.of(config.getString(path)).filter(text -> text.matches(pattern)));
  }

  /** A whole number. */
  int integer(String path, int least, int most, String what) {
    return read(
        path,
        what + ", " + least + " to " + most,
        least,
        value ->
            Optional.of(config.getDouble(path)) // a fraction would be cut off by getLong
                .filter(number -> number >= least && number <= most && number == Math.rint(number))
                .map(Double::intValue));
  }

  /** Bytes, such as 512M. */
  long size(String path, long least, long most) {
    return read(
        path,
        "a size, " + size(least) + " to " + size(most) + ", such as " + size(least),
        least,
        value ->
            Optional.of(config.getBytes(path)).filter(bytes -> bytes >= least && bytes <= most));
  }

  /** A time, such as 5s. */
  Duration duration(String path, Duration least, Duration most) {
    return read(
        path,
        "a time, " + time(least) + " to " + time(most) + ", such as " + time(least),
        least,
        value ->
            Optional.of(config.getDuration(path))
                .filter(time -> time.compareTo(least) >= 0 && time.compareTo(most) <= 0));
  }

  /** One of several words. */
  <T> T word(String path, Map<String, T> words) {
    return read(
        path,
        String.join(" or ", words.keySet()),
        words.values().iterator().next(),
        value -> Optional.ofNullable(words.get(config.getString(path).toLowerCase(Locale.ROOT))));
  }

  /** A list, or the same as one text with commas. */
  List<String> list(String path, String pattern, String expected) {
    return read(
        path,
        expected,
        List.of(),
        value -> {
          List<String> list =
              value instanceof ConfigList
                  ? config.getStringList(path)
                  : config.getString(path).isEmpty()
                      ? List.of()
                      : List.of(config.getString(path).split("\\s*,\\s*", -1));
          return Optional.of(list)
              .filter(all -> all.stream().allMatch(one -> one.matches(pattern)));
        });
  }

  /** Names with values. */
  Map<String, String> map(String path, String pattern, String expected) {
    TreeMap<String, String> map = new TreeMap<>();
    for (Map.Entry<String, ConfigValue> entry : config.getObject(path).entrySet()) {
      String name = path + "." + ConfigUtil.joinPath(entry.getKey());
      String value = text(name, pattern, expected);
      if (!entry.getKey().matches(pattern)) {
        bad(name, "a name that is " + expected);
      }
      map.put(entry.getKey(), value);
    }
    return Map.copyOf(map);
  }

  /**
   * A file's path. A relative one begins where the file is that names it, or else in the working
   * folder.
   *
   * @param otherwise if the text is empty
   */
  Path path(String path, Path otherwise) {
    return read(
        path,
        "a path",
        otherwise,
        value -> {
          String text = config.getString(path);
          if (text.isEmpty()) {
            return Optional.of(otherwise);
          }
          String from = value.origin().filename();
          Path folder = from == null ? Path.of("") : Path.of(from).toAbsolutePath().getParent();
          try {
            return Optional.of(folder.resolve(text).toAbsolutePath().normalize());
          } catch (InvalidPathException e) {
            return Optional.empty();
          }
        });
  }

  private <T> T read(
      String path, String expected, T otherwise, Function<ConfigValue, Optional<T>> reader) {
    try {
      ConfigValue value = at(path);
      if (value.valueType() != ConfigValueType.NULL) {
        Optional<T> result = reader.apply(value);
        if (result.isPresent()) {
          return result.get();
        }
      }
    } catch (ConfigException.WrongType | ConfigException.BadValue e) {
      // said below, in our words
    }
    bad(path, expected);
    return otherwise;
  }

  /** Bytes as people write them. */
  static String size(long bytes) {
    String units = "KMGTPE";
    int unit = -1;
    while (unit + 1 < units.length() && bytes >= 1024 && bytes % 1024 == 0) {
      bytes /= 1024;
      unit++;
    }
    return unit < 0 ? bytes + "B" : bytes + units.substring(unit, unit + 1);
  }

  /** A time as people write it. */
  static String time(Duration time) {
    long millis = time.toMillis();
    if (millis % 3_600_000 == 0) {
      return millis / 3_600_000 + "h";
    }
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
