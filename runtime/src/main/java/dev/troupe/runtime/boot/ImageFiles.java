package dev.troupe.runtime.boot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Opens the files that a machine starts with: whatever it opens, the guest may read. */
@FunctionalInterface
public interface ImageFiles {
  /** All that this process may read. */
  ImageFiles OF_THIS_PROCESS =
      (what, file) -> {
        if (!Files.exists(file)) {
          throw new BadImageException(what + " " + file + ": no such file");
        }
        if (!Files.isRegularFile(file)) {
          throw new BadImageException(what + " " + file + ": not a regular file");
        }
        return FileChannel.open(file, StandardOpenOption.READ);
      };

  /**
   * Opens one for reading.
   *
   * @param what what the user called it: {@code kernel}, {@code initrd}
   * @throws BadImageException if it is not there, is no regular file, or is not for this machine
   * @throws IOException if it cannot be read
   */
  FileChannel open(String what, Path file) throws IOException;
}
