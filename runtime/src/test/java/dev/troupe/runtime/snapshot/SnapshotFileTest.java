package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.snapshot.SnapshotPosition;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.interpreter.PagedGuest;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SnapshotFileTest {
  private static final String CPU = CpuModel.DEFAULT.name();
  private static final long FEATURES = CpuModel.DEFAULT.fingerprint();

  @TempDir private Path folder;

  private Path file;
  private final PagedGuest guest = new PagedGuest();
  private final PagedGuest other = new PagedGuest();
  private final MachineState saved = new MachineState(MachineStateTest.parts(guest), guest.memory);
  private final MachineState twin = new MachineState(MachineStateTest.parts(other), other.memory);

  private final SnapshotHeader about =
      SnapshotHeader.newBuilder()
          .setSpec(VmSpec.newBuilder().setName("small").setMemoryBytes(guest.memory.size()))
          .setCpuModel(CPU)
          .setCpuFeatures(FEATURES)
          .setPosition(
              SnapshotPosition.newBuilder()
                  .setInstructions(20_000)
                  .setMessages(7)
                  .setVirtualNanos(20_000))
          .build();

  @BeforeEach
  void setUp() {
    file = folder.resolve("small.snapshot");
  }

  @AfterEach
  void close() {
    guest.close();
    other.close();
  }

  private static SnapshotHeader restore(Path from, MachineState into)
      throws IOException, StateException {
    return SnapshotFile.restore(from, into, CPU, FEATURES).header();
  }

  @Test
  void a_round_trip_gives_the_same_machine() throws IOException, StateException {
    for (int i = 0; i < 20; i++) {
      guest.run(1_000);
    }
    SnapshotHeader written = SnapshotFile.write(file, about, saved);
    assertThat(SnapshotFile.readHeader(file)).isEqualTo(written);
    assertThat(written.getPosition()).isEqualTo(about.getPosition());
    assertThat(written.getStateHash()).isEqualTo(saved.hash());
    // The twin has run other code, in the same place.
    other.memory.copyIn(0x1015, HexFormat.of().parseHex("48ffc3ebfb")); // inc rbx; jmp to it
    other.run(3_000);
    assertThat(twin.hash()).isNotEqualTo(saved.hash());
    restore(file, twin);
    assertThat(twin.hash()).isEqualTo(written.getStateHash());
    assertThat(StateListing.diff(saved.listing(), twin.listing())).isEmpty();
    assertThat(MemoryDigest.ofAll(other.memory)).isEqualTo(MemoryDigest.ofAll(guest.memory));
    // Both go on alike, and what the twin had before is gone.
    other.now = guest.now;
    for (int i = 0; i < 20; i++) {
      assertThat(other.run(1_000)).isEqualTo(guest.run(1_000));
    }
    assertThat(twin.hash()).isEqualTo(saved.hash());
    assertThat(folder.toFile().list()).containsExactly("small.snapshot");
  }

  @Test
  void untouched_and_zeroed_pages_take_no_room() throws IOException, StateException {
    long small = Files.size(writeOf(16 << 20, 0));
    long large = Files.size(writeOf(4L << 30, 0));
    assertThat(large).isBetween(small - 64, small + 64);
    long zeroed = Files.size(writeOf(16 << 20, 8 << 20));
    assertThat(zeroed).isBetween(small - 64, small + 64);
  }

  private Path writeOf(long bytes, long zeroed) throws IOException {
    try (GuestMemory memory = GuestMemory.allocate(bytes)) {
      memory.fill(bytes < GuestMemory.HOLE_START ? 4096 : GuestMemory.HOLE_END, 4096, (byte) 7);
      memory.fill(1 << 20, zeroed, (byte) 1);
      memory.fill(1 << 20, zeroed, (byte) 0);
      SnapshotFile.write(file, about, new MachineState(List.of(), memory));
    }
    return file;
  }

  @Test
  void a_file_cut_off_at_any_byte_is_refused_and_changes_nothing()
      throws IOException, StateException {
    guest.run(100);
    SnapshotFile.write(file, about, saved);
    byte[] whole = Files.readAllBytes(file);
    long before = twin.hash();
    Path cut = folder.resolve("cut");
    Files.write(cut, whole);
    try (FileChannel channel = FileChannel.open(cut, StandardOpenOption.WRITE)) {
      for (int length = whole.length - 1; length >= 0; length--) {
        channel.truncate(length);
        assertRefused(cut, "length " + length);
      }
    }
    assertThat(twin.hash()).isEqualTo(before);
    Files.write(cut, Arrays.copyOf(whole, whole.length + 1));
    assertRefused(cut, "longer");
  }

  @Test
  void a_flipped_bit_anywhere_is_refused_and_changes_nothing() throws IOException {
    guest.run(100);
    SnapshotFile.write(file, about, saved);
    byte[] whole = Files.readAllBytes(file);
    long before = twin.hash();
    long seed = 5;
    SplittableRandom random = new SplittableRandom(seed);
    Path damaged = folder.resolve("damaged");
    int edges = 16 * 8;
    for (int i = 0; i < 1_200; i++) {
      // Every bit of the prologue and the trailer, then anywhere.
      long bit =
          i < edges
              ? i
              : i < 2 * edges
                  ? 8L * whole.length - 1 - (i - edges)
                  : random.nextLong(8L * whole.length);
      byte[] bytes = whole.clone();
      bytes[(int) (bit >> 3)] ^= (byte) (1 << (bit & 7));
      Files.write(damaged, bytes);
      assertRefused(damaged, "seed 5, bit " + bit);
    }
    assertThat(twin.hash()).isEqualTo(before);
  }

  private void assertRefused(Path path, String what) {
    try {
      restore(path, twin);
    } catch (StateException e) {
      assertThat(e.getMessage()).as(what).matches("[ -~]+: .+, expected .+");
      return;
    } catch (IOException e) {
      throw new AssertionError(what, e);
    }
    throw new AssertionError("not refused: " + what);
  }

  @Test
  void a_snapshot_of_another_machine_is_refused() throws IOException {
    SnapshotFile.write(file, about, saved);
    assertThatThrownBy(() -> SnapshotFile.restore(file, twin, "pentium3", FEATURES))
        .isInstanceOf(StateException.class)
        .hasMessage(file + ": CPU model: 'troupe-v1', expected 'pentium3'");
    assertThatThrownBy(() -> SnapshotFile.restore(file, twin, CPU, 1))
        .isInstanceOf(StateException.class)
        .hasMessageEndingWith(", expected 0x1");
    try (GuestMemory memory = GuestMemory.allocate(1 << 20)) {
      assertThatThrownBy(() -> restore(file, new MachineState(List.of(), memory)))
          .isInstanceOf(StateException.class)
          .hasMessage(file + ": memory: 16777216 bytes, expected 1048576");
    }
    assertThatThrownBy(() -> restore(file, new MachineState(List.of(), other.memory)))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("left over");
  }

  @Test
  void a_newer_format_is_refused_by_name() throws IOException {
    SnapshotFile.write(file, about, saved);
    byte[] whole = Files.readAllBytes(file);
    whole[8] = 2;
    Files.write(file, whole);
    assertThatThrownBy(() -> SnapshotFile.readHeader(file))
        .isInstanceOf(StateException.class)
        .hasMessage(file + ": format: 2, expected 1");
  }

  @Test
  void a_failed_write_leaves_the_file_that_was_there() throws IOException, StateException {
    SnapshotHeader first = SnapshotFile.write(file, about, saved);
    MachineState broken =
        new MachineState(
            List.of(
                new StatePart(
                    "broken",
                    v -> {
                      v.version(1);
                      v.within("value", 7, 0, 2);
                    })),
            other.memory);
    assertThatThrownBy(() -> SnapshotFile.write(file, about, broken))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("broken.value: 7, expected 0 to 2");
    assertThat(SnapshotFile.readHeader(file)).isEqualTo(first);
    assertThat(folder.toFile().list()).containsExactly("small.snapshot");
    assertThatThrownBy(() -> SnapshotFile.write(folder.resolve("no/where"), about, saved))
        .isInstanceOf(IOException.class);
  }
}
