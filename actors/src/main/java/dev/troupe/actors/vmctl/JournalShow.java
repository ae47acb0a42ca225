package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal show}: a record a line. */
@Command(
    name = "show",
    description = "Prints records, one a line; options say which.",
    mixinStandardHelpOptions = true)
final class JournalShow implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Mixin private JournalSelection selection;

  @Mixin private ReportFormat format;

  @Option(names = "--limit", paramLabel = "N", description = "No more than so many records.")
  private long limit = Long.MAX_VALUE;

  private long shown;

  @Override
  public Integer call() throws IOException {
    RecordFields fields = new RecordFields(JournalSelection.actors(file));
    try (RecordPrinter printer = new RecordPrinter(fields, format)) {
      selection.read(file, record -> printer.print(record) && ++shown < limit);
    }
    return ExitCode.OK;
  }
}
