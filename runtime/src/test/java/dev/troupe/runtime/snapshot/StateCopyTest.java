package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that build on one another. */
final class StateCopyTest {
  private static final long SEED = 20;
  private static final long BYTES = 8 << 20;
  private static final String CPU = "any";

  @TempDir private Path folder;

  private final GuestMemory memory = GuestMemory.allocate(BYTES);
  private final GuestMemory other = GuestMemory.allocate(BYTES);
  private final MachineState state = new MachineState(List.of(), memory);
  private final MachineState twin = new MachineState(List.of(), other);
  private final StateCopy copy = new StateCopy(state);
  private final SplittableRandom random = new SplittableRandom(SEED);
  private final SnapshotHeader about =
      SnapshotHeader.newBuilder()
          .setSpec(VmSpec.newBuilder().setMemoryBytes(BYTES))
          .setCpuModel(CPU)
          .build();

  @AfterEach
  void close() {
    copy.close();
    memory.close();
    other.close();
  }

  /** Writes some pages, some of them with zeroes. */
  private void change() {
    for (int i = 0; i < 20; i++) {
      long page = random.nextLong(BYTES / GuestMemory.PAGE_SIZE);
      byte value = (byte) (random.nextBoolean() ? 0 : random.nextInt());
      memory.fill(page * GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE, value);
    }
  }

  private Path file(int number) {
    return folder.resolve("t" + number + ".snapshot");
  }

  /** So many snapshots, the memory changed between; their hashes. */
  private List<Long> save(int count) throws IOException {
    List<Long> hashes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      change();
      if (i == count / 2) {
        memory.reset();
        change();
      }
      long hash = copy.take();
      assertThat(hash).isEqualTo(state.hash());
      change(); // goes on while it is written
      assertThat(copy.write(file(i), about).getStateHash()).isEqualTo(hash);
      hashes.add(hash);
    }
    return hashes;
  }

  @Test
  void eachIsTheStateThatWasTaken() throws IOException, StateException {
    List<Long> hashes = save(40);
    for (int i = 0; i < hashes.size(); i++) {
      assertThat(SnapshotFile.readHeader(file(i)).getStateHash()).isEqualTo(hashes.get(i));
      SnapshotFile.restore(file(i), twin, CPU, 0);
      assertThat(twin.hash()).as("snapshot %d of seed %d", i, SEED).isEqualTo(hashes.get(i));
    }
  }

  @Test
  void atMostFourAreReadBesideTheWholeOne() throws IOException, StateException {
    save(16);
    for (int i = 0; i < 16; i++) {
      int below = 0;
      Path at = file(i);
      while (!SnapshotFile.readHeader(at).getBase().isEmpty()) {
        at = folder.resolve(SnapshotFile.readHeader(at).getBase());
        below++;
      }
      assertThat(below).isLessThanOrEqualTo(4);
    }
  }

  @Test
  void oneWhoseBaseIsGoneOrAnotherOrElsewhereIsRefusedAndChangesNothing()
      throws IOException, StateException {
    save(8);
    long before = twin.hash();
    assertThat(SnapshotFile.readHeader(file(2)).getBase()).isEqualTo("t0.snapshot");
    Files.copy(file(1), file(0), StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> SnapshotFile.restore(file(2), twin, CPU, 0))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("t0.snapshot: state hash: ");
    Files.delete(file(0));
    assertThatThrownBy(() -> SnapshotFile.readHeader(file(2)))
        .isInstanceOf(NoSuchFileException.class);
    SnapshotHeader elsewhere = about.toBuilder().setBase("../t0.snapshot").build();
    SnapshotFile.write(file(9), elsewhere, new byte[0], memory, Optional.empty());
    assertThatThrownBy(() -> SnapshotFile.restore(file(9), twin, CPU, 0))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("header: base: '../t0.snapshot'");
    assertThat(twin.hash()).isEqualTo(before);
  }

  @Test
  void afterOneThatCouldNotBeWrittenTheNextIsWhole() throws IOException, StateException {
    save(2);
    change();
    copy.take();
    Path nowhere = folder.resolve("no/t2.snapshot");
    assertThatThrownBy(() -> copy.write(nowhere, about)).isInstanceOf(IOException.class);
    change();
    long hash = copy.take();
    assertThat(copy.write(file(3), about).getBase()).isEmpty();
    SnapshotFile.restore(file(3), twin, CPU, 0);
    assertThat(twin.hash()).isEqualTo(hash);
  }
}
