package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl journal grep}: the records whose line a regular expression is found in. */
@Command(
    name = "grep",
    description = "Prints the records in whose line, as show prints it, REGEX is found.",
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 found, 1 not found, 2 usage, 4 bad journal."})
final class JournalGrep implements Callable<Integer> {
  @Spec private CommandSpec command;

  @Parameters(index = "0", paramLabel = "REGEX", description = "As Java has them.")
  private String regex;

  @Parameters(index = "1", paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Mixin private JournalSelection selection;

  @Mixin private ReportFormat format;

  @Option(names = "--limit", paramLabel = "N", description = "No more than so many records.")
  private long limit = Long.MAX_VALUE;

  private long found;

  @Override
  public Integer call() throws IOException {
    Pattern pattern = pattern();
    RecordFields fields = new RecordFields(JournalSelection.actors(file));
    try (RecordPrinter printer = new RecordPrinter(fields, format)) {
      selection.read(
          file,
          record ->
              !pattern.matcher(fields.line(record)).find()
                  || (printer.print(record) && ++found < limit));
    }
    return found > 0 ? ExitCode.OK : ExitCode.DIFFERENT;
  }

  private Pattern pattern() {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new ParameterException(
          command.commandLine(),
          "'%s' is no regular expression: %s at %d"
              .formatted(regex, e.getDescription(), e.getIndex()));
    }
  }
}
