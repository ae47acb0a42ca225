package dev.troupe.actors.vmctl;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Option;

/** How a command prints what it has found: lines for people, or JSON, an object a line. */
final class ReportFormat {
  private static final int BUFFER = 64 * 1024;

  private enum Format {
    TEXT,
    JSON
  }

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private Format format;

  boolean isJson() {
    return format == Format.JSON;
  }

  /** Standard output, to be flushed; an error, as when nobody reads any more, is remembered. */
  static PrintStream out() {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER),
        false,
        StandardCharsets.UTF_8);
  }
}
