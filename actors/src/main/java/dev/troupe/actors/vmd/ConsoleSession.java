package dev.troupe.actors.vmd;

/** Somebody at a console. */
public interface ConsoleSession extends AutoCloseable {
  /**
   * Types; the next only after {@link ConsoleWatcher#output} has told that these were taken.
   * Ignored from one who is not the writer.
   */
  void input(byte[] bytes);

  /** The watcher is ready for so many more chunks; at first it is ready for none. */
  void request(int chunks);

  /** Leaves; nothing is told any more. */
  @Override
  void close();
}
