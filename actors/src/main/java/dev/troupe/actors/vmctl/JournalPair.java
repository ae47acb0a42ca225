package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Output;
import dev.troupe.actors.journal.JsonLines;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Predicate;

/** Two journals, read side by side. */
final class JournalPair implements AutoCloseable {
  private final Path one;
  private final Path other;
  private final JournalReader left;
  private final JournalReader right;
  private final ReportFormat format;

  /** Something that is read of a journal. */
  @FunctionalInterface
  interface Reading<T> {
    /** Reads it. */
    T read() throws IOException;
  }

  /**
   * Opens two journals.
   *
   * @param format of what is printed
   * @throws UserException if one cannot be read
   */
  JournalPair(Path one, Path other, ReportFormat format) {
    this.format = format;
    this.one = one;
    this.other = other;
    left = of(one, () -> new JournalReader(one));
    right = of(other, () -> new JournalReader(other));
  }

  /** The same, where an error says in which of the two files it was. */
  static <T> T of(Path file, Reading<T> reading) {
    try {
      return reading.read();
    } catch (IOException e) {
      throw JournalSelection.unreadable(file, e);
    }
  }

  boolean sameLevel() {
    return left.header().getLevel() == right.header().getLevel();
  }

  /** Whether a record of the one has to be in the other, too, as far as their headers tell. */
  boolean inBoth(JournalRecord record) {
    return !(record instanceof JournalRecord.Schedule)
        || left.header().getTurns() == right.header().getTurns();
  }

  /** Whether they are of the same machine, however it was recorded and executed. */
  boolean sameMachine() {
    return spec(left).equals(spec(right))
        && left.header().getActorsList().equals(right.header().getActorsList())
        && images(left).equals(images(right));
  }

  private static Object spec(JournalReader of) {
    var spec = of.header().getSpec().toBuilder().clearName().clearEngine().clearBoot();
    spec.getDeterministicBuilder().clearUnpaced();
    return spec.build();
  }

  private static Object images(JournalReader of) {
    return of.header().getImagesList().stream().map(image -> image.getSha256()).toList();
  }

  /** Goes on to behind a record in both. */
  void skip(Predicate<JournalRecord> last) {
    skip(one, left, last);
    skip(other, right, last);
  }

  private static void skip(Path file, JournalReader reader, Predicate<JournalRecord> last) {
    JournalRecord record;
    do {
      record = of(file, reader::next);
    } while (record != null && !last.test(record));
  }

  /**
   * Compares what is left, and prints the first difference with what led to it.
   *
   * @param context records before it
   * @param compared which records are compared; asked for each record of the one
   * @param otherCompared the same for the other
   * @return how many were the same; empty if there is a difference
   */
  OptionalLong compare(
      int context, Predicate<JournalRecord> compared, Predicate<JournalRecord> otherCompared) {
    Deque<JournalRecord> before = new ArrayDeque<>();
    long same = 0;
    while (true) {
      JournalRecord a = next(one, left, compared);
      JournalRecord b = next(other, right, otherCompared);
      if (a == null && b == null) {
        complain();
        return OptionalLong.of(same);
      }
      if (a == null || b == null || !same(a, b)) {
        print(before, a, b);
        return OptionalLong.empty();
      }
      same++;
      before.add(a);
      if (before.size() > context) {
        before.remove();
      }
    }
  }

  private void complain() {
    JournalSelection.complain(one, left.damage());
    JournalSelection.complain(other, right.damage());
  }

  /** What a checkpoint's file is called, and whether there is one, is no difference of two runs. */
  private static boolean same(JournalRecord a, JournalRecord b) {
    if (a instanceof JournalRecord.Checkpoint x && b instanceof JournalRecord.Checkpoint y) {
      return x.place().equals(y.place()) && x.hash() == y.hash();
    }
    return JournalRecord.same(a, b);
  }

  private static JournalRecord next(
      Path file, JournalReader reader, Predicate<JournalRecord> compared) {
    JournalRecord record;
    do {
      record = of(file, reader::next);
    } while (record != null && !compared.test(record));
    return record;
  }

  private void print(Deque<JournalRecord> before, JournalRecord a, JournalRecord b) {
    before.forEach(record -> print("  ", "both", leftFields(), record));
    print("< ", "first", leftFields(), a);
    print("> ", "second", rightFields(), b);
  }

  private void print(String mark, String in, RecordFields fields, JournalRecord record) {
    if (!format.isJson()) {
      System.out.println(mark + (record == null ? "nothing more" : fields.line(record)));
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>(Map.of("in", in));
    if (record == null) {
      line.put("kind", "nothing");
    } else {
      line.putAll(fields.of(record));
    }
    print(line);
  }

  /** Prints a line of JSON. */
  static void print(Map<String, Object> line) {
    try (JsonLines json = new JsonLines(Output.buffered())) {
      json.write(line);
    } catch (IOException e) {
      throw new UserException(ExitCode.INTERNAL, "standard output: " + e.getMessage());
    }
  }

  /** What the records of the one have. */
  RecordFields leftFields() {
    return new RecordFields(left.header().getActorsList());
  }

  /** What the records of the other have. */
  RecordFields rightFields() {
    return new RecordFields(right.header().getActorsList());
  }

  @Override
  public void close() {
    of(
        one,
        () -> {
          left.close();
          return null;
        });
    of(
        other,
        () -> {
          right.close();
          return null;
        });
  }
}
