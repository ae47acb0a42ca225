package dev.troupe.runtime.journal;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StatePart;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Where the checkpoints of a journal are: in a folder beside it. */
public final class JournalCheckpoints {
  /** What a checkpoint's file is called; a name that leads elsewhere is none. */
  private static final Pattern NAME = Pattern.compile("t\\d{1,19}\\.snapshot");

  private JournalCheckpoints() {}

  /** The folder of a journal's checkpoints. */
  public static Path folder(Path journal) {
    Path file = journal.toAbsolutePath();
    return file.resolveSibling(file.getFileName() + ".checkpoints");
  }

  /** Whether a checkpoint has been saved, under the name of a file in that folder. */
  public static boolean isSaved(JournalRecord.Checkpoint checkpoint) {
    return NAME.matcher(checkpoint.file()).matches();
  }

  /**
   * Has parts of a machine be as they were in the snapshot that its run began with.
   *
   * @param reader of a journal that begins with one, which has read nothing yet
   * @param parts some of the machine's, in their order
   * @param memory the machine's; empty if nobody reads it
   * @return where the run began
   * @throws JournalException if the snapshot is missing or another
   */
  static Place begin(JournalReader reader, List<StatePart> parts, Optional<GuestMemory> memory)
      throws IOException {
    if (!(reader.next() instanceof JournalRecord.Checkpoint first) || !isSaved(first)) {
      throw new JournalException(
          "journal %s: began with a snapshot, but does not name it".formatted(reader.file()));
    }
    Path snapshot = folder(reader.file()).resolve(first.file());
    try {
      SnapshotHeader header =
          SnapshotFile.restoreSome(
              snapshot,
              parts,
              memory,
              reader.header().getCpuModel(),
              reader.header().getCpuFeatures());
      if (header.getStateHash() != first.hash()) {
        throw new JournalException(
            "snapshot %s: state hash %016x, expected %016x"
                .formatted(snapshot, header.getStateHash(), first.hash()));
      }
      return first.place();
    } catch (StateException e) {
      throw new JournalException(e.getMessage());
    } catch (NoSuchFileException e) {
      throw new JournalException(
          "journal %s: began with a snapshot, which is not there: %s"
              .formatted(reader.file(), snapshot));
    }
  }
}
