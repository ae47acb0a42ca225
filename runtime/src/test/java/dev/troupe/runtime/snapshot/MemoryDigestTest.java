package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class MemoryDigestTest {
  private static final int PAGE = GuestMemory.PAGE_SIZE;
  private static final int PAGES = 256;

  private static void flip(GuestMemory memory, long bit) {
    byte[] one = new byte[1];
    memory.copyOut(bit >>> 3, one);
    one[0] ^= (byte) (1 << (bit & 7));
    memory.copyIn(bit >>> 3, one);
  }

  @Test
  void one_flipped_bit_anywhere_changes_it_and_flipped_back_restores_it() {
    try (GuestMemory memory = GuestMemory.allocate((long) PAGES * PAGE)) {
      MemoryDigest digest = new MemoryDigest(memory);
      SplittableRandom random = new SplittableRandom(1);
      byte[] content = new byte[PAGE];
      for (int page = 0; page < PAGES; page += 2) {
        random.nextBytes(content);
        memory.copyIn((long) page * PAGE, content);
      }
      long before = digest.value();
      for (int i = 0; i < 20_000; i++) {
        long bit = random.nextLong(8L * PAGES * PAGE);
        flip(memory, bit);
        assertThat(digest.value()).as("seed 1, bit %d", bit).isNotEqualTo(before);
        flip(memory, bit);
        assertThat(digest.value()).as("seed 1, bit %d", bit).isEqualTo(before);
      }
      for (long bit = 0; bit < 8 * PAGE; bit++) { // every bit of a page of zeroes
        flip(memory, 8L * PAGE + bit);
        assertThat(digest.value()).as("bit %d", bit).isNotEqualTo(before);
        flip(memory, 8L * PAGE + bit);
      }
    }
  }

  @Test
  void kept_up_page_by_page_it_is_what_all_pages_give() {
    try (GuestMemory memory = GuestMemory.allocate((long) PAGES * PAGE)) {
      MemoryDigest digest = new MemoryDigest(memory);
      SplittableRandom random = new SplittableRandom(2);
      for (int round = 0; round < 300; round++) {
        for (int i = random.nextInt(5); i > 0; i--) {
          byte[] bytes = new byte[random.nextInt(1, 3 * PAGE)];
          if (random.nextInt(3) > 0) {
            random.nextBytes(bytes);
          }
          memory.copyIn(random.nextLong((long) PAGES * PAGE - bytes.length), bytes);
        }
        if (random.nextInt(10) == 0) {
          memory.clearDirty(); // somebody else's round
        }
        if (random.nextInt(40) == 0) {
          memory.reset();
        }
        assertThat(digest.value())
            .as("seed 2 round %d", round)
            .isEqualTo(MemoryDigest.ofAll(memory));
      }
    }
  }

  @Test
  void zeroes_count_as_never_touched_and_equal_pages_in_other_places_do_not_cancel() {
    try (GuestMemory memory = GuestMemory.allocate((long) PAGES * PAGE)) {
      MemoryDigest digest = new MemoryDigest(memory);
      assertThat(digest.value()).isZero();
      memory.fill(0, 40L * PAGE, (byte) 1);
      long forty = digest.value();
      assertThat(forty).isNotZero();
      memory.fill(0, 40L * PAGE, (byte) 0);
      assertThat(digest.value()).isZero();
      memory.fill(PAGE, 40L * PAGE, (byte) 1);
      assertThat(digest.value()).isNotZero().isNotEqualTo(forty);
    }
  }

  @Test
  void a_digest_opened_late_and_one_beside_it_see_the_same() {
    try (GuestMemory memory = GuestMemory.allocate((long) PAGES * PAGE)) {
      MemoryDigest first = new MemoryDigest(memory);
      List<Long> values = new ArrayList<>();
      memory.fill(3 * PAGE, 2 * PAGE, (byte) 3);
      values.add(first.value());
      memory.clearDirty();
      MemoryDigest second = new MemoryDigest(memory);
      values.add(second.value());
      assertThat(values.get(1)).isEqualTo(values.get(0));
      memory.fill(9 * PAGE, 1, (byte) 3);
      assertThat(second.value()).isEqualTo(first.value()).isNotEqualTo(values.get(0));
    }
  }
}
