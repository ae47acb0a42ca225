package dev.troupe.actors.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsoleRingTest {
  /** All bytes ever, as a list of starts: what a ring would be with memory without end. */
  private static final class Model {
    record Start(long epoch, ByteArrayOutputStream bytes) {}

    final int capacity;
    final List<Start> starts = new ArrayList<>();

    Model(int capacity) {
      this.capacity = capacity;
    }

    long written() {
      return starts.stream().mapToLong(start -> start.bytes.size()).sum();
    }

    /** How many bytes of this start are overwritten. */
    long gone(int index) {
      long behind = 0;
      for (int i = starts.size() - 1; i > index; i--) {
        behind += starts.get(i).bytes.size();
      }
      long size = starts.get(index).bytes.size();
      return Math.clamp(size + behind - capacity, 0, size);
    }

    ConsoleRing.Piece read(int index, long offset, int max) {
      byte[] bytes = starts.get(index).bytes.toByteArray();
      long gone = gone(index);
      if (offset < gone) {
        return new ConsoleRing.Gone(gone - offset);
      }
      if (offset < bytes.length) {
        int from = (int) offset;
        return new ConsoleRing.Bytes(
            Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + max)));
      }
      return index + 1 < starts.size()
          ? new ConsoleRing.Next(starts.get(index + 1).epoch)
          : new ConsoleRing.End();
    }
  }

  private static byte[] bytes(SplittableRandom random, int most) {
    byte[] bytes = new byte[random.nextInt(most + 1)];
    random.nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void itReadsLikeAListOfAllBytesOfWhichTheLastAreKept(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int capacity = 1 + random.nextInt(3 * ConsoleRing.PAGE);
    ConsoleRing ring = new ConsoleRing(capacity);
    Model model = new Model(capacity);
    long epoch = 0;
    for (int step = 0; step < 400; step++) {
      if (model.starts.isEmpty()
          || (random.nextInt(12) == 0 && model.starts.size() < ConsoleRing.MAX_EPOCHS)) {
        epoch += 1 + random.nextInt(3);
        ring.begin(epoch);
        model.starts.add(new Model.Start(epoch, new ByteArrayOutputStream()));
      } else {
        byte[] bytes = bytes(random, random.nextInt(10) == 0 ? 2 * capacity : 200);
        ring.append(bytes);
        model.starts.getLast().bytes.writeBytes(bytes);
      }
      assertThat(ring.written()).isEqualTo(model.written());
      for (int probe = 0; probe < 5; probe++) {
        int index = random.nextInt(model.starts.size());
        Model.Start start = model.starts.get(index);
        long offset = random.nextInt(start.bytes.size() + 1);
        int max = 1 + random.nextInt(300);
        Place place = new Place(start.epoch, offset);

        assertThat(ring.read(place, max))
            .as("seed %s step %s: %s", seed, step, place)
            .usingRecursiveComparison()
            .isEqualTo(model.read(index, offset, max));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13})
  void theTailIsReadToTheEndWithoutLoss(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int capacity = 1 + random.nextInt(2 * ConsoleRing.PAGE);
    ConsoleRing ring = new ConsoleRing(capacity);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (long epoch = 1; epoch < 40; epoch++) {
      ring.begin(epoch);
      byte[] bytes = bytes(random, 2000);
      ring.append(bytes);
      all.writeBytes(bytes);
      long wanted = random.nextLong(2L * capacity);
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      Place at = ring.tail(wanted);
      while (at != null) {
        at =
            switch (ring.read(at, 1 + random.nextInt(500))) {
              case ConsoleRing.Bytes(byte[] piece) -> {
                read.writeBytes(piece);
                yield at.plus(piece.length);
              }
              case ConsoleRing.Next(long next) -> new Place(next, 0);
              case ConsoleRing.End _ -> null;
              case ConsoleRing.Piece other -> throw new AssertionError(at + ": " + other);
            };
      }
      byte[] expected = all.toByteArray();
      long kept = Math.min(expected.length, capacity);
      assertThat(read.toByteArray())
          .isEqualTo(
              Arrays.copyOfRange(
                  expected, (int) (expected.length - Math.min(wanted, kept)), expected.length));
    }
  }

  @Test
  void placesThatThereAreNotAreAnsweredByOneThatThereIs() {
    ConsoleRing ring = new ConsoleRing(100);
    assertThat(ring.read(new Place(1, 0), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(0, 0)));
    ring.begin(5);
    ring.append(new byte[3]);
    ring.begin(9);

    assertThat(ring.read(new Place(4, 7), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(5, 0)));
    assertThat(ring.read(new Place(7, 0), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(9, 0)));
    assertThat(ring.read(new Place(10, 0), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(9, 0)));
    assertThat(ring.read(new Place(5, 4), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(5, 3)));
    assertThat(ring.read(new Place(5, -1), 1)).isEqualTo(new ConsoleRing.NoPlace(new Place(5, 3)));
  }

  @Test
  void anEpochThatIsNotLaterIsRefusedWithItsNumbers() {
    ConsoleRing ring = new ConsoleRing(100);
    ring.begin(5);
    assertThatThrownBy(() -> ring.begin(5)).hasMessage("epoch 5 after epoch 5");
    assertThatThrownBy(() -> new ConsoleRing(0)).hasMessageContaining("0 bytes");
  }

  @Test
  void whatIsDiscardedIsCountedAndNotShown() {
    ConsoleRing ring = new ConsoleRing(100);
    ring.begin(1);
    ring.append(new byte[10]);
    ring.begin(2);
    ring.append(new byte[20]);
    ring.discard(2);

    assertThat(ring.read(new Place(2, 5), 100)).isEqualTo(new ConsoleRing.Gone(15));
    assertThat(ring.read(new Place(1, 5), 100)).isInstanceOf(ConsoleRing.Bytes.class);
    assertThat(ring.tail(30)).isEqualTo(new Place(1, 0));
  }

  @Test
  void manyShortStartsAreForgottenOneByOne() {
    ConsoleRing ring = new ConsoleRing(1 << 20);
    for (int epoch = 1; epoch <= 1000; epoch++) {
      ring.begin(epoch);
      ring.append(new byte[1]);
    }
    assertThat(ring.read(new Place(1, 0), 1))
        .isEqualTo(new ConsoleRing.NoPlace(new Place(1001 - ConsoleRing.MAX_EPOCHS, 0)));
    assertThat(ring.tail(Long.MAX_VALUE)).isEqualTo(new Place(1001 - ConsoleRing.MAX_EPOCHS, 0));
  }
}
