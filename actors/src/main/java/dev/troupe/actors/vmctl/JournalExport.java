package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.ChromeTrace;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal export}: a journal for other tools. */
@Command(
    name = "export",
    description = "Writes a journal in another format to standard output.",
    mixinStandardHelpOptions = true)
final class JournalExport implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "FORMAT", description = "chrome-trace.")
  private String format;

  @Parameters(index = "1", paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Mixin private JournalSelection selection;

  @Override
  public Integer call() throws IOException {
    if (!format.equals("chrome-trace")) {
      throw new UserException(
          ExitCode.USAGE, "format '%s', expected chrome-trace".formatted(format));
    }
    OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
    try (ChromeTrace trace = new ChromeTrace(JournalSelection.actors(file), out)) {
      selection.read(
          file,
          record -> {
            trace.write(record);
            return true;
          });
    }
    return ExitCode.OK;
  }
}
