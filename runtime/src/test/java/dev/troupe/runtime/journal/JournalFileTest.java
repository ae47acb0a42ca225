package dev.troupe.runtime.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Position;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a journal's file gives back: all that was written, and of a damaged one a true beginning.
 */
class JournalFileTest {
  private static final JournalHeader HEADER =
      JournalHeader.newBuilder()
          .setSpec(VmSpec.newBuilder().setName("small").setCpus(2))
          .addAllActors(List.of("machine", "gate", "clock", "vcpu0", "vcpu1", "pic", "uart0"))
          .build();

  @TempDir private Path folder;

  /** What was read, and what stopped the reading; null if nothing did. */
  private record Read(List<JournalRecord> records, JournalReader.Damage damage) {}

  private Path write(List<JournalRecord> records, int aFrame) throws IOException {
    Path file = folder.resolve("journal");
    FrameBuilder builder = new FrameBuilder();
    try (JournalWriter writer = new JournalWriter(file, HEADER)) {
      for (int i = 0; i < records.size(); i++) {
        builder.add(records.get(i));
        if (i % aFrame == aFrame - 1 || i == records.size() - 1) {
          writer.write(builder.take());
        }
      }
      writer.finish();
    }
    return file;
  }

  private static Read read(Path file) throws IOException {
    List<JournalRecord> records = new ArrayList<>();
    try (JournalReader reader = new JournalReader(file)) {
      for (JournalRecord r = reader.next(); r != null; r = reader.next()) {
        records.add(r);
      }
      return new Read(records, reader.damage().orElse(null));
    }
  }

  private static void assertSame(List<JournalRecord> read, List<JournalRecord> written) {
    assertThat(read).hasSameSizeAs(written);
    for (int i = 0; i < read.size(); i++) {
      assertThat(JournalRecord.same(read.get(i), written.get(i)))
          .as("record %d: %s, expected %s", i, read.get(i), written.get(i))
          .isTrue();
    }
  }

  /** A run that never was, with every kind of record. */
  private static List<JournalRecord> run(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    List<JournalRecord> records = new ArrayList<>();
    Place place = Place.START;
    long number = 0;
    for (int i = 0; i < count; i++) {
      if (random.nextInt(4) == 0) {
        Position before = place.position();
        place =
            new Place(
                place.turn() + random.nextInt(9),
                new Position(
                    before.instructions() + random.nextLong(100_000),
                    number,
                    before.nanos() + random.nextLong(10_000_000)));
        records.add(placed(random, place));
      } else if (random.nextInt(4) == 0) {
        records.add(
            switch (random.nextInt(4)) {
              case 0 -> new JournalRecord.Reply(random.nextInt(64), random.nextLong());
              case 1 -> new JournalRecord.Interrupted(random.nextInt(64), interrupt(random));
              case 2 -> turn(random);
              default -> new JournalRecord.Cut(1 + random.nextInt(20_000));
            });
      } else {
        long time = place.position().nanos() + random.nextLong(20_000);
        records.add(
            new JournalRecord.Message(
                ++number, random.nextInt(7), random.nextInt(7), time, message(random)));
      }
    }
    return records;
  }

  private static JournalRecord.Turn turn(SplittableRandom random) {
    return random.nextBoolean()
        ? new JournalRecord.Turn(0, 0)
        : new JournalRecord.Turn(random.nextLong(1L << 40), random.nextInt(20_001));
  }

  private static JournalRecord placed(SplittableRandom random, Place place) {
    return switch (random.nextInt(5)) {
      case 0 -> new JournalRecord.Typed(place, random.nextBoolean(), bytes(random));
      case 1 -> new JournalRecord.PowerButton(place, random.nextBoolean());
      case 2 -> new JournalRecord.StateHash(place, random.nextLong());
      case 3 -> new JournalRecord.Checkpoint(place, random.nextLong(), "i-1.snapshot");
      default ->
          new JournalRecord.End(
              place, place.position(), random.nextBoolean(), random.nextLong(), "PoweredOff[]");
    };
  }

  private static Interrupt interrupt(SplittableRandom random) {
    return switch (random.nextInt(7)) {
      case 0 -> new Interrupt.Intr(random.nextBoolean());
      case 1 -> new Interrupt.IgnoreNumericError(random.nextBoolean());
      case 2 -> new Interrupt.Fixed(random.nextInt(256), random.nextBoolean());
      case 3 -> new Interrupt.Nmi();
      case 4 -> new Interrupt.Smi();
      case 5 -> new Interrupt.Init();
      default -> new Interrupt.Sipi(random.nextInt(256));
    };
  }

  private static BoardMessage message(SplittableRandom random) {
    AddressSpace space = AddressSpace.values()[random.nextInt(2)];
    return switch (random.nextInt(10)) {
      case 0 -> new BoardMessage.IoRead(space, random.nextLong(), 1 << random.nextInt(4));
      case 1 ->
          new BoardMessage.IoWrite(
              space, random.nextLong(), 1 << random.nextInt(4), random.nextLong());
      case 2 -> new BoardMessage.LineLevel(random.nextInt(24), random.nextBoolean());
      case 3 -> new BoardMessage.TimerFired(random.nextInt(3), random.nextLong());
      case 4 -> new BoardMessage.InterruptAcknowledge(random.nextInt(64));
      case 5 -> new BoardMessage.EndOfInterrupt(random.nextInt(256));
      case 6 -> new BoardMessage.ConsoleInput(bytes(random));
      case 7 -> new BoardMessage.ConsoleRoom(random.nextInt(5000));
      case 8 -> new BoardMessage.PowerButton();
      default -> new BoardMessage.Reset();
    };
  }

  private static byte[] bytes(SplittableRandom random) {
    byte[] bytes = new byte[random.nextInt(20)];
    random.nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void whatIsWrittenIsReadWhateverTheFramesAre(long seed) throws IOException {
    List<JournalRecord> records = run(seed, 3000);
    for (int aFrame : new int[] {1, 7, 3000}) {
      Path file = write(records, aFrame);
      Read read = read(file);

      assertSame(read.records, records);
      assertThat(read.damage).isNull();
      try (JournalReader reader = new JournalReader(file)) {
        assertThat(reader.header()).isEqualTo(HEADER);
      }
    }
  }

  @Test
  void aMessageTakesAtMostTwentyBytes() throws IOException {
    List<JournalRecord> records = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(5);
    long time = 0;
    for (int i = 1; i <= 10_000; i++) {
      time += random.nextLong(20_000_000);
      BoardMessage write = new BoardMessage.IoWrite(AddressSpace.MEMORY, 0xFEC0_0010L, 4, i);
      records.add(new JournalRecord.Message(i, 3, 5, time, write));
    }
    assertThat(Files.size(write(records, 1000))).isLessThan(20L * records.size());
  }

  @Test
  void aFileCutAtAnyByteGivesAllWholeFramesAndSaysWhatIsLost() throws IOException {
    List<JournalRecord> records = run(6, 60);
    Path file = write(records, 10);
    byte[] whole = Files.readAllBytes(file);
    Path cut = folder.resolve("cut");
    int most = 0;
    for (int length = 0; length < whole.length; length++) {
      Files.write(cut, Arrays.copyOf(whole, length));
      if (length < JournalFormat.PROLOGUE_BYTES + HEADER.getSerializedSize()) {
        assertThatThrownBy(() -> read(cut)).isInstanceOf(JournalException.class);
        continue;
      }
      Read read = read(cut);
      assertThat(read.records.size() % 10).as("frames are read whole").isZero();
      assertThat(read.records.size()).isGreaterThanOrEqualTo(most);
      most = read.records.size();
      assertSame(read.records, records.subList(0, most));
      assertThat(read.damage).as("cut to %d bytes", length).isNotNull();
      assertThat(read.damage.offset() + read.damage.lost()).isEqualTo(length);
    }
    assertThat(most).isEqualTo(records.size());
  }

  @Test
  void noBitFlipGivesAnythingThatWasNotWritten() throws IOException {
    List<JournalRecord> records = run(7, 40);
    Path file = write(records, 10);
    byte[] whole = Files.readAllBytes(file);
    Path flipped = folder.resolve("flipped");
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] bytes = whole.clone();
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(flipped, bytes);
      Read read;
      try {
        read = read(flipped);
      } catch (JournalException e) {
        assertThat(bit / 8).isLessThan(JournalFormat.PROLOGUE_BYTES + HEADER.getSerializedSize());
        assertThat(e).hasMessageContaining(flipped.toString());
        continue;
      }
      assertThat(read.damage).as("bit %d", bit).isNotNull();
      assertSame(read.records, records.subList(0, read.records.size()));
    }
  }

  @Test
  void aTailThatIsThereTwiceIsReadOnce() throws IOException {
    List<JournalRecord> records = run(8, 60);
    Path file = write(records, 10);
    byte[] whole = Files.readAllBytes(file);
    Path twice = folder.resolve("twice");
    for (int tail = 1; tail < whole.length; tail++) {
      byte[] bytes = Arrays.copyOf(whole, whole.length + tail);
      System.arraycopy(whole, whole.length - tail, bytes, whole.length, tail);
      Files.write(twice, bytes);
      Read read = read(twice);

      assertSame(read.records, records);
      assertThat(read.damage).isNotNull();
      assertThat(read.damage.lost()).isEqualTo(tail);
    }
  }

  @Test
  void bytesOfNoJournalAreRefusedOrReadToTheirFirstFault() throws IOException {
    SplittableRandom random = new SplittableRandom(9);
    byte[] whole = Files.readAllBytes(write(run(9, 60), 10));
    Path other = folder.resolve("other");
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = whole.clone();
      int from = random.nextInt(bytes.length);
      for (int at = from; at < bytes.length; at++) {
        bytes[at] = (byte) random.nextInt();
      }
      Files.write(other, bytes);
      try {
        assertThat(read(other).damage).isNotNull();
      } catch (JournalException e) {
        assertThat(e).hasMessageStartingWith("journal " + other);
      }
    }
  }

  @Test
  void recordsOfNoRunAreRefusedAndNeverRunOn() {
    SplittableRandom random = new SplittableRandom(10);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      RecordDecoder decoder = new RecordDecoder(bytes, 7);
      try {
        for (int n = 0; !decoder.atEnd(); n++) {
          assertThat(n).isLessThan(bytes.length);
          assertThat(decoder.next()).isNotNull();
        }
      } catch (RecordInput.Malformed e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  @Test
  void aReaderThatSeeksMissesNothingFromThereOn() throws IOException {
    List<JournalRecord> records = run(11, 2000);
    Path file = write(records, 50);
    for (long wanted : new long[] {0, 1, 500, 1100}) {
      try (JournalReader reader = new JournalReader(file)) {
        reader.seek(wanted, Long.MAX_VALUE);
        List<JournalRecord> rest = new ArrayList<>();
        for (JournalRecord r = reader.next(); r != null; r = reader.next()) {
          rest.add(r);
        }
        assertThat(reader.damage()).isEmpty();
        assertSame(rest, records.subList(records.size() - rest.size(), records.size()));
        long first =
            rest.stream()
                .filter(JournalRecord.Message.class::isInstance)
                .mapToLong(r -> ((JournalRecord.Message) r).number())
                .findFirst()
                .orElseThrow();
        assertThat(first).isBetween(wanted - 50, wanted + 1);
      }
    }
  }

  /** Its checksum is right: whoever made the file has computed it. */
  @ParameterizedTest
  @ValueSource(longs = {-5, 0, 1, Long.MAX_VALUE})
  void anIndexThatLeadsOutOfTheFramesIsNoIndex(long offset) throws IOException {
    List<JournalRecord> records = run(12, 200);
    Path file = write(records, 50);
    byte[] whole = Files.readAllBytes(file);
    ByteBuffer trailer = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    int at = (int) trailer.getLong(whole.length - JournalFormat.TRAILER_BYTES);
    byte[] index = JournalIndex.write(List.of(new JournalIndex.Entry(offset, 0, Place.START)));
    ByteBuffer stored = ByteBuffer.wrap(Zstd.compress(index));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(whole, 0, at);
    out.writeBytes(
        FrameHead.write(JournalFormat.KIND_INDEX, 4, index.length, stored.duplicate()).array());
    out.writeBytes(stored.array());
    out.write(whole, whole.length - JournalFormat.TRAILER_BYTES, JournalFormat.TRAILER_BYTES);
    Files.write(file, out.toByteArray());

    try (JournalReader reader = new JournalReader(file)) {
      reader.seek(100, Long.MAX_VALUE);
      List<JournalRecord> all = new ArrayList<>();
      for (JournalRecord r = reader.next(); r != null; r = reader.next()) {
        all.add(r);
      }
      assertSame(all, records);
      assertThat(reader.damage()).isEmpty();
    }
  }
}
