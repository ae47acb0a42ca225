package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StateReader;
import dev.troupe.runtime.snapshot.States;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The TLB is guest-visible: a restored one holds what the saved one held, stale or not. */
final class TlbStateTest {
  private static final long MEMORY = 8 << 20;

  private final GuestMemory memory = GuestMemory.allocate(MEMORY);
  private final Tlb tlb = new Tlb(memory, 0);
  private final Tlb twin = new Tlb(memory, 0);

  @AfterEach
  void close() {
    memory.close();
  }

  /** A translation as {@link MmuSlow} puts it, its tags fast. */
  private void put(int bank, long page, long frame, int tags, boolean global, int shift) {
    long entry = tlb.claim(bank, page, memory.hostAddress(frame) - page, global, shift);
    for (int tag = 0; tag < 3; tag++) {
      if ((tags >> tag & 1) != 0) {
        Raw.put64(entry + 8L * tag, page);
      }
    }
  }

  private void fill(SplittableRandom random) {
    int[] shifts = {12, 21, 22, 30};
    for (int i = 0; i < 300; i++) {
      // Pages close together, so that some drive others aside, large ones have neighbours and page
      // 0
      // is met.
      long page = (random.nextLong(1L << 14) << 12) | (random.nextInt(4) == 0 ? -1L << 47 : 0);
      put(
          random.nextInt(3),
          page,
          random.nextLong(MEMORY >> 12) << 12,
          random.nextInt(1, 8),
          random.nextBoolean(),
          shifts[random.nextInt(4)]);
    }
    put(0, 0, 0x5000, 7, false, 12);
  }

  private static boolean permits(Tlb in, int bank, long page, int tag) {
    long value = Raw.get64(Tlb.entry(in.bankAddress(bank), page) + 8L * tag);
    return value == page || value == Tlb.slow(page);
  }

  @Test
  void restored_entries_are_the_saved_ones_with_slow_tags() {
    fill(new SplittableRandom(1));
    States.copy(tlb, twin);
    assertThat(States.diff(tlb, twin)).isEmpty();
    int entries = 0;
    int aside = 0;
    for (int bank = 0; bank < 3; bank++) {
      entries += same(tlb.bankAddress(bank), twin.bankAddress(bank), Tlb.ENTRIES);
      aside += same(tlb.sideAddress(bank), twin.sideAddress(bank), Tlb.SIDE_ENTRIES);
    }
    assertThat(entries).isGreaterThan(300);
    assertThat(aside).isPositive();
  }

  /** Compares two tables; gives the number of tags that permit something. */
  private static int same(long saved, long restored, int entries) {
    int valid = 0;
    for (int i = 0; i < entries; i++) {
      for (int tag = 0; tag < 24; tag += 8) {
        long at = (long) i * Tlb.ENTRY_BYTES + tag;
        long before = Raw.get64(saved + at);
        boolean permits = before >>> 12 != (i == 0 ? 1 : 0) || (before == 0 && i == 0);
        long slow = (before & 1) != 0 ? before : Tlb.slow(before);
        assertThat(Raw.get64(restored + at)).isEqualTo(permits ? slow : before);
        valid += permits ? 1 : 0;
      }
    }
    return valid;
  }

  @Test
  void flushes_and_invalidations_drop_the_same_entries_afterwards() {
    for (long seed = 0; seed < 30; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      fill(random);
      States.copy(tlb, twin);
      for (int step = 0; step < 20; step++) {
        long page = random.nextLong(1L << 14) << 12;
        boolean keepGlobal = random.nextBoolean();
        tlb.invalidatePage(page, keepGlobal);
        twin.invalidatePage(page, keepGlobal);
        assertThat(States.hash(twin)).as("seed %d step %d", seed, step).isEqualTo(States.hash(tlb));
      }
      tlb.flush(true);
      twin.flush(true);
      assertThat(States.diff(tlb, twin)).as("seed %d", seed).isEmpty();
      assertThat(States.hash(tlb)).isEqualTo(States.hash(twin));
    }
  }

  @Test
  void whether_a_tag_is_fast_is_no_state() {
    fill(new SplittableRandom(2));
    long hash = States.hash(tlb);
    tlb.slowAllWrites();
    tlb.slowPages(page -> (page & 0x1000) == 0);
    assertThat(States.hash(tlb)).isEqualTo(hash);
  }

  @Test
  void entries_that_no_walk_can_make_are_refused() throws StateException {
    put(1, 0x7000, 0x3000, 3, true, 12);
    byte[] state = States.save(tlb);
    int bank = 1 + "part".length() + 2 + 4 + 4 + 1;
    int page = bank + 4;
    int frame = page + 8;
    int rights = frame + 8;
    int shift = rights + 4;
    StateReader.restore(state, States.parts(twin));
    assertThat(permits(twin, 1, 0x7000, 0)).isTrue();
    assertThat(permits(twin, 1, 0x7000, 2)).isFalse();
    refuses(state, bank - 1, 2, "part.entry[0].aside: 2, expected 0 to 1");
    refuses(state, bank, 3, "part.entry[0].bank: 3, expected 0 to 2");
    refuses(state, page, 1, "part.entry[0].page: 0x7001, expected a canonical page");
    refuses(state, page + 7, 1, "part.entry[0].page: 0x100000000007000, expected a canonical page");
    refuses(state, frame + 2, 0x80, "part.entry[0].frame: 0x803000, expected a page of RAM");
    refuses(state, rights, 8, "part.entry[0].rights: 0x8, expected at least one");
    refuses(state, rights, 17, "part.entry[0].rights: 0x11, expected on trial only if aside");
    refuses(state, rights, 32, "part.entry[0].rights: 0x20, expected bits of 0x1f");
    refuses(state, shift, 13, "part.entry[0].shift: 0xd, expected 12, 22 or 30");
    put(1, 0x8000, 0x3000, 3, true, 12);
    byte[] two = States.save(tlb);
    refuses(two, page + 1, 0x90, "part.entry[1].page: 0x8000, expected places in ascending order");
  }

  /** Before there were side tables, an entry did not say where it is. */
  @Test
  void states_of_version_1_are_read() throws StateException {
    put(1, 0x7000, 0x3000, 3, true, 12);
    byte[] now = States.save(tlb);
    int version = 1 + "part".length();
    int aside = version + 2 + 4 + 4;
    byte[] old = new byte[now.length - 1];
    System.arraycopy(now, 0, old, 0, aside);
    System.arraycopy(now, aside + 1, old, aside, old.length - aside);
    old[version] = 1;
    old[version + 2]--; // its length
    StateReader.restore(old, States.parts(twin));
    assertThat(States.diff(tlb, twin)).isEmpty();
  }

  private void refuses(byte[] state, int at, int value, String message) {
    byte[] damaged = state.clone();
    damaged[at] = (byte) (at < state.length && value == 1 ? damaged[at] | 1 : value);
    String before = States.listing(twin);
    assertThatThrownBy(() -> StateReader.restore(damaged, States.parts(twin)))
        .isInstanceOf(StateException.class)
        .hasMessage(message);
    assertThat(States.listing(twin)).isEqualTo(before);
  }
}
