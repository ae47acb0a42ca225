package dev.troupe.runtime.snapshot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** A snapshot and those that it builds on, down to a whole one. */
final class SnapshotChain implements AutoCloseable {
  /** More than {@link StateCopy} makes. */
  private static final int MOST = 16;

  private final List<Path> paths = new ArrayList<>();
  private final List<FileChannel> channels = new ArrayList<>();

  /** From the whole one on. */
  private final List<SnapshotInput> inputs = new ArrayList<>();

  /**
   * Opens a snapshot.
   *
   * @throws StateException if one is damaged, or not the one that is built on
   * @throws IOException if one cannot be read
   */
  SnapshotChain(Path path) throws IOException, StateException {
    try {
      Path at = path;
      SnapshotInput above = null;
      while (true) {
        FileChannel channel = FileChannel.open(at, StandardOpenOption.READ);
        channels.add(channel);
        paths.add(at);
        SnapshotInput input = new SnapshotInput(at.toString(), channel);
        inputs.addFirst(input);
        if (above != null) {
          above.checkBase(input);
        }
        if (!input.hasBase()) {
          return;
        }
        if (inputs.size() == MOST) {
          throw StateException.of(path + ": bases", "more", "at most " + (MOST - 1));
        }
        at = input.base(at);
        above = input;
      }
    } catch (IOException | StateException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The files, the snapshot's own first. */
  List<Path> paths() {
    return List.copyOf(paths);
  }

  /** The snapshot itself. */
  SnapshotInput top() {
    return inputs.getLast();
  }

  /** All, the whole one first. */
  List<SnapshotInput> fromWhole() {
    return inputs;
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : channels) {
      channel.close();
    }
  }
}
