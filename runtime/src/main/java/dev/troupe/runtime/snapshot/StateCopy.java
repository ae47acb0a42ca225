package dev.troupe.runtime.snapshot;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.runtime.memory.DirtyLog;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * A machine's state as it was, beside the machine: taken at a quiet point at the cost of the pages
 * written since the last time, and written to a file while the machine goes on. It holds as much
 * memory as the guest has touched. Taking and writing may be on two threads, one after the other.
 */
public final class StateCopy implements AutoCloseable {
  /** Of so many files, one is whole; a power of two. */
  private static final int WHOLE_EVERY = 16;

  private final MachineState state;
  private final DirtyLog log;
  private final GuestMemory memory;

  /**
   * What was written last.
   *
   * @param changed the pages written since the file before
   */
  private record Step(String name, long hash, BitSet changed) {}

  /** A whole snapshot, and those after it. */
  private final List<Step> steps = new ArrayList<>();

  /** Pages written since the last step. */
  private BitSet changed = new BitSet();

  private byte[] parts = {};
  private long hash;
  private long digest;

  /**
   * A copy of a machine's state, of which nothing is taken yet.
   *
   * @throws dev.troupe.runtime.memory.HostMemoryException if the host has no room for it
   */
  public StateCopy(MachineState state) {
    this.state = state;
    memory = GuestMemory.allocate(state.memory().size());
    log = state.memory().openDirtyLog();
  }

  /** Takes the state over, at a quiet point; gives its hash. */
  public long take() {
    log.drain(
        new DirtyLog.Reader() {
          @Override
          public void zeroed() {
            memory.reset();
            startOver();
          }

          @Override
          public void written(long page) {
            long host = memory.pageAddress(page);
            memory.markDirty(host);
            Raw.copy(state.memory().pageAddress(page), host, GuestMemory.PAGE_SIZE);
            changed.set((int) page);
          }
        });
    parts = StateWriter.save(state.parts());
    hash = state.hash();
    digest = state.memoryDigest();
    return hash;
  }

  /** The next file is a whole one. */
  public void startOver() {
    steps.clear();
    changed.clear();
  }

  /**
   * Writes what was taken last. The number of a file among those since a whole one, its lowest bit
   * cleared, is that of the file which it builds on: so half of them hold what has changed since
   * the one before, a quarter since the second before, and no more than four have to be read beside
   * the whole one.
   *
   * @param path in the folder of all snapshots that this has written
   * @param about as for {@link SnapshotFile#write}
   * @return the header as written
   * @throws IOException if the file cannot be written
   */
  public SnapshotHeader write(Path path, SnapshotHeader about) throws IOException {
    SnapshotHeader.Builder header = about.toBuilder().setStateHash(hash).setMemoryDigest(digest);
    String name = path.getFileName().toString();
    int number = steps.size() % WHOLE_EVERY;
    try {
      if (number == 0) {
        steps.clear();
        SnapshotHeader written =
            SnapshotFile.write(path, header.build(), parts, memory, Optional.empty());
        steps.add(new Step(name, hash, new BitSet()));
        changed.clear();
        return written;
      }
      int below = number & (number - 1);
      BitSet since = (BitSet) changed.clone();
      steps.subList(below + 1, number).forEach(step -> since.or(step.changed));
      Step base = steps.get(below);
      header.setBase(base.name).setBaseStateHash(base.hash);
      SnapshotHeader written =
          SnapshotFile.write(path, header.build(), parts, memory, Optional.of(since));
      steps.add(new Step(name, hash, changed));
      changed = new BitSet();
      return written;
    } catch (IOException e) {
      startOver(); // what builds on this one would have nothing to build on
      throw e;
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
