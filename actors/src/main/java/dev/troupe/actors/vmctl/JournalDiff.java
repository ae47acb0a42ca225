package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal diff}: the first record in which two runs differ, and what led to it. */
@Command(
    name = "diff",
    description = "Prints the first difference of two journals, and the records before it.",
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 no difference, 1 a difference, 2 usage, 4 bad journal."})
final class JournalDiff implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "FILE", description = "A journal.")
  private Path one;

  @Parameters(index = "1", paramLabel = "FILE", description = "Another.")
  private Path other;

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "8",
      description = "Records before the difference; default ${DEFAULT-VALUE}.")
  private int context;

  @Override
  public Integer call() {
    try (JournalReader left = new JournalReader(one);
        JournalReader right = new JournalReader(other)) {
      if (left.header().getLevel() != right.header().getLevel()) {
        throw new UserException(
            ExitCode.BAD_IMAGE, "the journals are of different levels: see vmctl journal stat");
      }
      return compare(left, right);
    } catch (IOException e) {
      throw JournalSelection.unreadable(one, e);
    }
  }

  private int compare(JournalReader left, JournalReader right) throws IOException {
    Deque<JournalRecord> before = new ArrayDeque<>();
    long same = 0;
    while (true) {
      JournalRecord a = left.next();
      JournalRecord b = right.next();
      if (a == null && b == null) {
        System.out.printf("no difference in %d records%n", same);
        return ExitCode.OK;
      }
      if (a == null || b == null || !JournalRecord.same(a, b)) {
        print(left, right, before, a, b);
        return ExitCode.DIFFERENT;
      }
      same++;
      before.add(a);
      if (before.size() > context) {
        before.remove();
      }
    }
  }

  private static void print(
      JournalReader left,
      JournalReader right,
      Deque<JournalRecord> before,
      JournalRecord a,
      JournalRecord b) {
    RecordFields fields = new RecordFields(left.header().getActorsList());
    before.forEach(record -> System.out.println("  " + fields.line(record)));
    System.out.println("< " + line(fields, a));
    System.out.println("> " + line(new RecordFields(right.header().getActorsList()), b));
  }

  private static String line(RecordFields fields, JournalRecord record) {
    return record == null ? "nothing more" : fields.line(record);
  }
}
