package dev.troupe.runtime.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.runtime.bus.AddressMap.Piece;
import dev.troupe.runtime.bus.AddressMap.Range;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Finding, splitting and refusing. */
final class AddressMapTest {
  private static final AddressSpace PORT = AddressSpace.PORT;
  private static final AddressSpace MEMORY = AddressSpace.MEMORY;

  private final AddressMap map =
      new AddressMap(
          List.of(
              new Range(0, PORT, 0x20, 0x21, 1),
              new Range(1, PORT, 0x22, 0x25, 2),
              new Range(2, PORT, 0xFFFE, 0xFFFF, 4),
              new Range(3, MEMORY, 0xFEC0_0000L, 0xFEC0_0FFFL, 4),
              new Range(4, MEMORY, 0xFEC0_1000L, 0xFEC0_1003L, 8)));

  @Test
  void whole_accesses_find_their_device() {
    assertThat(map.find(PORT, 0x20, 1)).isZero();
    assertThat(map.find(PORT, 0x24, 2)).isEqualTo(1);
    assertThat(map.find(MEMORY, 0xFEC0_0FFCL, 4)).isEqualTo(3);
    assertThat(map.find(PORT, 0x26, 4)).isEqualTo(AddressMap.NONE);
    assertThat(map.find(MEMORY, -8, 8)).isEqualTo(AddressMap.NONE);
    assertThat(map.find(PORT, 0xFFFF, 1)).isEqualTo(2);
  }

  @Test
  void wide_and_crossing_accesses_are_halved_until_they_fit() {
    assertThat(map.find(PORT, 0x20, 4)).isEqualTo(AddressMap.SPLIT);
    assertThat(map.pieces(PORT, 0x20, 4))
        .containsExactly(
            new Piece(0, 0x20, 1, 0), new Piece(0, 0x21, 1, 8), new Piece(1, 0x22, 2, 16));
    assertThat(map.pieces(PORT, 0x1F, 2)).containsExactly(new Piece(0, 0x20, 1, 8));
    assertThat(map.pieces(PORT, 0xFFFF, 4)).containsExactly(new Piece(2, 0xFFFF, 1, 0));
    assertThat(map.pieces(MEMORY, 0xFEC0_0FFEL, 8))
        .containsExactly(
            new Piece(3, 0xFEC0_0FFEL, 2, 0),
            new Piece(4, 0xFEC0_1000L, 2, 16),
            new Piece(4, 0xFEC0_1002L, 2, 32));
    assertThat(map.pieces(MEMORY, 0x1000, 8)).isEmpty();
  }

  @Test
  void pieces_put_a_value_together_again() {
    Piece piece = new Piece(0, 0, 2, 16);
    assertThat(piece.insert(-1L, 0x1234)).isEqualTo(0xFFFF_FFFF_1234_FFFFL);
    assertThat(piece.extract(0x5678_1234_0000L)).isEqualTo(0x1234);
    assertThat(AddressMap.allOnes(8)).isEqualTo(-1L);
    assertThat(AddressMap.allOnes(2)).isEqualTo(0xFFFFL);
  }

  @Test
  void overlaps_are_refused_with_their_numbers() {
    assertThatThrownBy(
            () ->
                new AddressMap(
                    List.of(new Range(0, PORT, 0x60, 0x64, 1), new Range(1, PORT, 0x61, 0x61, 1))))
        .hasMessageContaining("0x60-0x64 of device 0")
        .hasMessageContaining("0x61-0x61 of device 1");
    assertThatThrownBy(() -> new Range(0, PORT, 0xFFFF, 0x10000, 1))
        .hasMessageContaining("0x10000");
    assertThatThrownBy(() -> new Range(0, PORT, 5, 4, 1)).hasMessageContaining("first=0x5");
  }

  @Test
  void every_byte_of_a_split_access_goes_where_it_would_go_alone() {
    long seed = 5;
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 50; round++) {
      List<Range> ranges = new ArrayList<>();
      int next = 0;
      for (int device = 0; device < 12; device++) {
        int first = next + random.nextInt(5);
        int last = first + random.nextInt(9);
        ranges.add(new Range(device, PORT, first, last, 1 << random.nextInt(3)));
        next = last + 1;
      }
      AddressMap random12 = new AddressMap(ranges);
      for (int port = 0; port < next; port++) {
        for (int size = 1; size <= 4; size *= 2) {
          int found = random12.find(PORT, port, size);
          List<Piece> pieces = random12.pieces(PORT, port, size);
          int[] owner = new int[size];
          Arrays.fill(owner, AddressMap.NONE);
          for (Piece piece : pieces) {
            for (int i = 0; i < piece.size(); i++) {
              owner[(int) piece.address() - port + i] = piece.device();
            }
          }
          for (int i = 0; i < size; i++) {
            assertThat(owner[i])
                .as("seed %d round %d port %#x size %d byte %d", seed, round, port, size, i)
                .isEqualTo(random12.find(PORT, port + i, 1));
          }
          assertThat(found == AddressMap.NONE).isEqualTo(pieces.isEmpty());
        }
      }
    }
  }
}
