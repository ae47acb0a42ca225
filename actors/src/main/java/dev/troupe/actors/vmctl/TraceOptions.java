package dev.troupe.actors.vmctl;

import dev.troupe.proto.spec.EngineKind;
import dev.troupe.runtime.engine.Engines;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What of its engines {@code vmctl run} prints, and where. */
final class TraceOptions {
  /** What {@code --trace} may say. */
  enum Item {
    /** Guest code that is translated. */
    IN_ASM,
    /** What is emitted for it. */
    OUT_ASM,
    /** What is entered, and how much of a turn it takes. */
    EXEC
  }

  @Option(
      names = "--trace",
      paramLabel = "ITEM",
      split = ",",
      description = {
        "Print the engine's work: in_asm, the guest code of what it",
        "translates; out_asm, the host code made of that; exec, each entry",
        "into emitted code. Several with commas between."
      })
  private List<Item> items = List.of();

  @Option(
      names = "--trace-file",
      paramLabel = "FILE",
      description = "Print it into this file, not on standard error.")
  private Path file;

  /** What the user asked for that makes no sense; empty if nothing. */
  Optional<String> complaint(EngineKind engine, boolean sharded) {
    if (items.isEmpty()) {
      return file == null ? Optional.empty() : Optional.of("--trace-file is for --trace");
    }
    if (sharded) {
      return Optional.of("--trace is not for --sharded runs");
    }
    return items.contains(Item.OUT_ASM) && !Engines.emits(engine)
        ? Optional.of("--trace out_asm: the interpreter emits no code; it has in_asm and exec")
        : Optional.empty();
  }

  /**
   * Begins to print; null if nothing is to be printed.
   *
   * @param raw whether the terminal wants its carriage returns
   * @throws UserException if the file cannot be written
   */
  TraceWriter begin(boolean raw) {
    if (items.isEmpty()) {
      return null;
    }
    try {
      return new TraceWriter(
          EnumSet.copyOf(items),
          file == null ? standardError() : Files.newOutputStream(file),
          file == null && raw ? "\r\n" : "\n",
          Vmctl::complain);
    } catch (IOException e) {
      throw new UserException(ExitCode.BAD_IMAGE, "trace " + file + ": " + reason(e));
    }
  }

  private static OutputStream standardError() {
    return new FileOutputStream(FileDescriptor.err) {
      @Override
      public void close() {} // others go on writing to it
    };
  }

  private static String reason(IOException e) {
    return switch (e) {
      case java.nio.file.AccessDeniedException _ -> "permission denied";
      case java.nio.file.NoSuchFileException _ -> "no such folder";
      default -> e.getMessage();
    };
  }
}
