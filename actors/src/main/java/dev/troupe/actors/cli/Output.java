package dev.troupe.actors.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Optional;

/** Standard output, whose stream keeps to itself that nobody has taken what was printed. */
public final class Output {
  private Output() {}

  /**
   * Flushes it. Who reads no further, as {@code head} does, has had what was asked for; but a full
   * disk has cost the user something.
   *
   * @return why what was printed is lost; empty if it is not
   */
  public static Optional<String> lost() {
    if (!System.out.checkError()) {
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
