package dev.troupe.runtime.snapshot;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * A machine's state as a file. All numbers little-endian:
 *
 * <pre>
 * magic (8 bytes), format (4), 0 (4)
 * section "parts": what {@link StateWriter} makes of the parts
 * section "memory": chunks, see {@link MemoryChunk}; only pages that are not zero, or, of a
 *   snapshot with a base, those written since that
 * header: a SnapshotHeader (protobuf), which lists the sections with their lengths and checksums
 * length of the header (4), CRC-32C of the header (4), end mark (8)
 * </pre>
 *
 * <p>The header comes last because it says what was written. Each byte is checked: by a checksum,
 * or because it can have one value only.
 */
public final class SnapshotFile {
  /** The format that is written, and the newest that is read. */
  public static final int FORMAT = 1;

  /** What the temporary file's name ends with. */
  static final String PART = ".part";

  static final long MAGIC = ascii("TROUPESN");
  static final long END = ascii("TROUPEND");
  static final int PROLOGUE_BYTES = 16;
  static final int TRAILER_BYTES = 16;
  static final String PARTS = "parts";
  static final String MEMORY = "memory";

  /** A spec with a long command line, and two sections. */
  static final int MAX_HEADER_BYTES = 1 << 20;

  /** 64 vCPUs with full TLBs have 20 MB. */
  static final int MAX_PARTS_BYTES = 64 << 20;

  private SnapshotFile() {}

  private static long ascii(String text) {
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value |= (long) text.charAt(i) << (8 * i);
    }
    return value;
  }

  /**
   * Writes a machine's state, at a quiet point. The bytes go to a temporary file beside, which is
   * forced to the disk and then takes the path's place in one step: whatever fails, a file that was
   * there stays. One writer at a time for a path.
   *
   * @param about spec, CPU and position; hashes and sections are filled in here
   * @return the header as written
   * @throws IOException if the file cannot be written; the temporary file is then gone
   */
  public static SnapshotHeader write(Path path, SnapshotHeader about, MachineState state)
      throws IOException {
    SnapshotHeader hashed =
        about.toBuilder()
            .setStateHash(state.hash())
            .setMemoryDigest(state.memoryDigest())
            .clearBase()
            .clearBaseStateHash()
            .build();
    return write(path, hashed, StateWriter.save(state.parts()), state.memory(), Optional.empty());
  }

  /**
   * The same of parts and memory at hand, with their hashes in the header.
   *
   * @param changed the pages written since the header's base; empty if it has none
   */
  static SnapshotHeader write(
      Path path, SnapshotHeader about, byte[] parts, GuestMemory memory, Optional<BitSet> changed)
      throws IOException {
    Path target = path.toAbsolutePath();
    Path part = target.resolveSibling(target.getFileName() + PART);
    SnapshotHeader header;
    try (FileChannel channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      header = new SnapshotOutput(channel).write(about, parts, memory, changed);
      channel.force(true);
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(part);
      throw e;
    }
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    }
    return header;
  }

  /**
   * Reads what a snapshot is of, so that a machine can be made for it.
   *
   * @throws StateException if the file is damaged or of a newer format, or its base is another
   * @throws IOException if it or its base cannot be read
   */
  public static SnapshotHeader readHeader(Path path) throws IOException, StateException {
    try (SnapshotChain chain = new SnapshotChain(path)) {
      return chain.top().header();
    }
  }

  /**
   * The files of a snapshot: itself, then what it builds on, down to a whole one.
   *
   * @throws StateException if one is damaged or of a newer format, or a base is another
   * @throws IOException if one cannot be read
   */
  public static List<Path> files(Path path) throws IOException, StateException {
    try (SnapshotChain chain = new SnapshotChain(path)) {
      return chain.paths();
    }
  }

  /**
   * A snapshot that a machine has been restored from.
   *
   * @param current whether {@link MachineState#hash()} is the header's state hash now: no part was
   *     of an older layout
   */
  public record Restored(SnapshotHeader header, boolean current) {}

  /**
   * Restores a machine. The whole file is checked before anything changes; parts are restored all
   * or none, and then the memory.
   *
   * @param cpuModel the machine's CPU, which has to be the snapshot's
   * @param cpuFeatures hash of all that CPUID says of it
   * @throws StateException if the file is damaged, of a newer format or version, or of another
   *     machine; the machine is then as it was
   * @throws IOException if the file cannot be read; after that, parts and memory may not belong
   *     together, and the machine needs a reset
   */
  public static Restored restore(Path path, MachineState state, String cpuModel, long cpuFeatures)
      throws IOException, StateException {
    try (SnapshotChain chain = new SnapshotChain(path)) {
      chain.top().checkMachine(state.memory().size(), cpuModel, cpuFeatures);
      for (SnapshotInput input : chain.fromWhole()) {
        input.checkMemory(state.memory());
      }
      boolean current = StateReader.restore(chain.top().parts(), state.parts());
      restoreMemory(chain, state.memory());
      return new Restored(chain.top().header(), current);
    }
  }

  /**
   * Restores some parts of a machine, and perhaps its memory; the other parts are passed over.
   *
   * @param parts in the order of the machine's
   * @param memory empty if it is not wanted
   * @param cpuModel the machine's CPU, which has to be the snapshot's
   * @param cpuFeatures hash of all that CPUID says of it
   * @throws StateException as for {@link #restore}
   * @throws IOException if the file cannot be read; parts and memory may then not belong together
   */
  public static SnapshotHeader restoreSome(
      Path path,
      List<StatePart> parts,
      Optional<GuestMemory> memory,
      String cpuModel,
      long cpuFeatures)
      throws IOException, StateException {
    try (SnapshotChain chain = new SnapshotChain(path)) {
      SnapshotHeader header = chain.top().header();
      long bytes = memory.map(GuestMemory::size).orElse(header.getSpec().getMemoryBytes());
      chain.top().checkMachine(bytes, cpuModel, cpuFeatures);
      if (memory.isPresent()) {
        for (SnapshotInput input : chain.fromWhole()) {
          input.checkMemory(memory.get());
        }
      }
      StateReader.restoreSome(chain.top().parts(), parts);
      if (memory.isPresent()) {
        restoreMemory(chain, memory.get());
      }
      return header;
    }
  }

  private static void restoreMemory(SnapshotChain chain, GuestMemory memory)
      throws IOException, StateException {
    memory.reset();
    for (SnapshotInput input : chain.fromWhole()) {
      input.restoreMemory(memory);
    }
  }
}
