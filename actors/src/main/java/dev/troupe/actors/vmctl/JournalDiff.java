package dev.troupe.actors.vmctl;

import dev.troupe.runtime.journal.JournalRecord;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal diff}: the first record in which two runs differ, and what led to it. */
@Command(
    name = "diff",
    description =
        "Prints the first difference of two journals, and the records before it; options say which"
            + " records are compared.",
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

  @Mixin private JournalSelection selection;

  @Mixin private ReportFormat format;

  @Override
  public Integer call() {
    try (JournalPair pair = new JournalPair(one, other, format)) {
      if (!pair.sameLevel()) {
        throw new UserException(
            ExitCode.BAD_IMAGE,
            "the journals are of different levels: see vmctl journal stat; bisect compares them");
      }
      Predicate<JournalRecord> left = selection.choose(pair.leftFields());
      Predicate<JournalRecord> right = selection.choose(pair.rightFields());
      OptionalLong same = pair.compare(context, left.and(pair::inBoth), right.and(pair::inBoth));
      if (same.isEmpty()) {
        return ExitCode.DIFFERENT;
      }
      if (format.isJson()) {
        JournalPair.print(Map.of("same", same.getAsLong()));
      } else {
        System.out.printf("no difference in %d records%n", same.getAsLong());
      }
      return ExitCode.OK;
    }
  }
}
