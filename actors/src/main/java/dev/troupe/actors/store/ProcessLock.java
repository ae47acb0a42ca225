package dev.troupe.actors.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A file that one process at a time has, and that has the process's number. The host's kernel gives
 * it back when the process ends, however that ends. The file itself stays: were it removed, two
 * processes might each have one of that name.
 */
public final class ProcessLock implements AutoCloseable {
  /** Another process has the file. */
  public static final class HeldException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient Optional<Long> holder;

    private HeldException(Path file, Optional<Long> holder) {
      super(file + " is held by " + holder.map(pid -> "process " + pid).orElse("another process"));
      this.holder = holder;
    }

    /** The process that has the file, as far as it has said so. */
    public Optional<Long> holder() {
      return holder;
    }
  }

  private final FileChannel channel;

  private ProcessLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes a file, which is made if need be.
   *
   * @throws HeldException if another process has it, or this one already
   * @throws IOException if the file cannot be made
   */
  public static ProcessLock take(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw new HeldException(file, holder(file));
      }
      channel.truncate(0);
      write(channel, ProcessHandle.current().pid() + "\n");
      return new ProcessLock(channel);
    } catch (OverlappingFileLockException e) {
      channel.close();
      throw new HeldException(file, Optional.of(ProcessHandle.current().pid()));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static void write(FileChannel channel, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static Optional<Long> holder(Path file) {
    try {
      return Optional.of(Long.valueOf(Files.readString(file).strip()));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty(); // it has not said yet
    }
  }

  /** Gives the file back. */
  @Override
  public void close() throws IOException {
    channel.truncate(0);
    channel.close();
  }
}
