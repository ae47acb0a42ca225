package dev.troupe.actors.vmctl;

import picocli.CommandLine.Option;

/** How a command prints what it has found: lines for people, or JSON, an object a line. */
final class ReportFormat {
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
}
