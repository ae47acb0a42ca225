package dev.troupe.actors.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Standard output, whose stream keeps to itself that nobody has taken what was printed. */
public final class Output {
  private static final int BUFFER = 64 * 1024;

  /** Null unless the command prints much. */
  private static PrintStream buffered;

  private Output() {}

  /** Standard output for a command that prints much; to be flushed, never to be closed. */
  public static synchronized PrintStream buffered() {
    if (buffered == null) {
      buffered =
          new PrintStream(
              new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER),
              false,
              StandardCharsets.UTF_8);
    }
    return buffered;
  }

  /**
   * Flushes it. Who reads no further, as {@code head} does, has had what was asked for; but a full
   * disk has cost the user something.
   *
   * @return why what was printed is lost; empty if it is not
   */
  public static synchronized Optional<String> lost() {
    boolean lost = buffered != null && buffered.checkError();
    if (!System.out.checkError() && !lost) {
      return Optional.empty();
    }
    // Once more, for the reason: one line end too many if there is room again.
    try (FileOutputStream again = new FileOutputStream(FileDescriptor.out)) {
      again.write('\n');
      return Optional.of("standard output has failed meanwhile");
    } catch (IOException e) {
      return "Broken pipe".equals(e.getMessage())
          ? Optional.empty()
          : Optional.of("standard output: " + e.getMessage());
    }
  }
}
