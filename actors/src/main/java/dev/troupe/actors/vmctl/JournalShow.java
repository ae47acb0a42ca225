package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JsonLines;
import dev.troupe.actors.journal.RecordFields;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal show}, and {@code grep} where records are looked for: a record a line. */
@Command(
    name = "show",
    aliases = "grep",
    description = "Prints records, one a line; options say which.",
    mixinStandardHelpOptions = true)
final class JournalShow implements Callable<Integer> {
  /** How a record is printed. */
  enum Format {
    TEXT,
    JSON
  }

  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Mixin private JournalSelection selection;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private Format format;

  @Option(names = "--limit", paramLabel = "N", description = "No more than so many records.")
  private long limit = Long.MAX_VALUE;

  private long shown;

  @Override
  public Integer call() throws IOException {
    RecordFields fields = new RecordFields(JournalSelection.actors(file));
    OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
    if (format == Format.JSON) {
      try (JsonLines json = new JsonLines(out)) {
        selection.read(
            file,
            record -> {
              json.write(fields.of(record));
              return ++shown < limit;
            });
      }
    } else {
      PrintStream text = new PrintStream(out, false, StandardCharsets.UTF_8);
      selection.read(
          file,
          record -> {
            text.println(fields.line(record));
            return ++shown < limit && !text.checkError();
          });
      text.flush();
    }
    out.flush();
    return ExitCode.OK;
  }
}
