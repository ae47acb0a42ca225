package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the visitors promise, on a part made up for it. */
final class StateVisitorsTest {
  private enum Phase {
    IDLE,
    BUSY
  }

  private record Answer(int value, boolean last) {}

  /** One leaf of every kind, a nested part, and a field that only layout 2 has. */
  private static final class Toy implements Stateful {
    final int layout;
    final Counter inner = new Counter();
    int mode = 1;
    int control = 0x37F;
    long base = 0xFEE0_0000L;
    boolean line;
    Phase phase = Phase.IDLE;
    final long[] entries = {1, 2, 3};
    final byte[] cells = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    byte[] waiting = {42};
    List<Answer> answers = List.of(new Answer(7, false), new Answer(8, true));
    int added = -1;

    /** What follows from the state. */
    int derived;

    Toy(int layout) {
      this.layout = layout;
    }

    @Override
    public void state(StateVisitor v) {
      int version = v.version(layout);
      mode = v.within("mode", mode, 0, 2);
      control = v.int16("control", control);
      base = v.int64("base", base);
      line = v.bool("line", line);
      phase = v.constant("phase", phase, Phase.class);
      v.longs("entries", entries);
      v.bytes("cells", cells);
      waiting = v.bytes("waiting", waiting, 16);
      answers =
          v.list(
              "answers",
              answers,
              4,
              new Answer(0, false),
              (e, a) -> new Answer(e.int8("value", a.value), e.bool("last", a.last)));
      v.part("inner", inner);
      if (layout > 1) {
        added = version > 1 ? v.int32("added", added) : -1;
      }
      v.require(mode != 2 || line, "line", 0, "1 in mode 2");
      if (v.restoring()) {
        derived = mode + 1;
      }
    }
  }

  private static final class Counter implements Stateful {
    int count = 3;

    @Override
    public void state(StateVisitor v) {
      v.version(1);
      count = v.within("count", count, 1, 65_536);
    }
  }

  private static List<StatePart> parts(Toy... toys) {
    StatePart[] parts = new StatePart[toys.length];
    for (int i = 0; i < toys.length; i++) {
      parts[i] = new StatePart("toy" + i, toys[i]);
    }
    return List.of(parts);
  }

  private static Toy changed(int layout) {
    Toy toy = new Toy(layout);
    toy.mode = 2;
    toy.line = true;
    toy.phase = Phase.BUSY;
    toy.entries[2] = -1;
    toy.cells[8] = 77;
    toy.waiting = new byte[] {1, 2, 3};
    toy.answers = List.of(new Answer(255, true));
    toy.inner.count = 65_536;
    toy.added = 9;
    return toy;
  }

  @Test
  void a_restored_part_lists_and_hashes_as_the_saved_one() throws StateException {
    Toy saved = changed(2);
    Toy twin = new Toy(2);
    StateReader.restore(StateWriter.save(parts(saved)), parts(twin));
    StateListing listing = StateListing.of(parts(twin));
    assertThat(StateListing.diff(StateListing.of(parts(saved)), listing)).isEmpty();
    assertThat(StateHasher.hash(parts(twin))).isEqualTo(StateHasher.hash(parts(saved)));
    assertThat(twin.derived).isEqualTo(3);
    assertThat(listing.toString())
        .isEqualTo(
            """
            toy0.version=2
            toy0.mode=2
            toy0.control=0x37f
            toy0.base=0xfee00000
            toy0.line=1
            toy0.phase=BUSY
            toy0.entries[0]=1
            toy0.entries[1]=2
            toy0.entries[2]=-1
            toy0.cells=01020304050607084d
            toy0.waiting=010203
            toy0.answers.size=1
            toy0.answers[0].value=0xff
            toy0.answers[0].last=1
            toy0.inner.version=1
            toy0.inner.count=0x10000
            toy0.added=9
            """);
  }

  @Test
  void a_difference_names_its_path() {
    Toy left = new Toy(1);
    Toy right = new Toy(1);
    right.inner.count = 4;
    right.answers = List.of(new Answer(7, false));
    assertThat(StateListing.diff(StateListing.of(parts(left)), StateListing.of(parts(right))))
        .map(Object::toString)
        .containsExactly(
            "toy0.answers.size: 2 / 1",
            "toy0.answers[1].value: 8 / null",
            "toy0.answers[1].last: 1 / null",
            "toy0.inner.count: 3 / 4");
  }

  @Test
  void an_older_layout_is_opened_and_a_newer_one_refused() throws StateException {
    Toy twin = changed(2);
    StateReader.restore(StateWriter.save(parts(new Toy(1))), parts(twin));
    assertThat(twin.added).isEqualTo(-1);
    assertThatThrownBy(
            () -> StateReader.restore(StateWriter.save(parts(new Toy(2))), parts(new Toy(1))))
        .isInstanceOf(StateException.class)
        .hasMessage("toy0 version: 2, expected 1 to 1");
  }

  @Test
  void whatever_is_refused_leaves_every_part_as_it_was() {
    Toy first = changed(2);
    Toy second = changed(2);
    byte[] good = StateWriter.save(parts(new Toy(2), new Toy(2)));
    String before = StateListing.of(parts(first, second)).toString();
    for (int length = 0; length < good.length; length++) {
      byte[] truncated = Arrays.copyOf(good, length);
      assertThatThrownBy(() -> StateReader.restore(truncated, parts(first, second)))
          .as("length %d", length)
          .isInstanceOf(StateException.class)
          .message()
          .matches("toy.*: .*, expected .*");
    }
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] flipped = good.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        StateReader.restore(flipped, parts(first, second));
        // A bit of a value with no other meaning; the rest of the test wants the old state.
        StateReader.restore(StateWriter.save(parts(changed(2), changed(2))), parts(first, second));
      } catch (StateException e) {
        assertThat(e).message().matches("(?s)[ -~]+: .*, expected .*");
      }
      assertThat(StateListing.of(parts(first, second))).as("bit %d", bit).hasToString(before);
    }
    byte[] longer = Arrays.copyOf(good, good.length + 1);
    assertThatThrownBy(() -> StateReader.restore(longer, parts(first, second)))
        .isInstanceOf(StateException.class)
        .hasMessage("state: 1 bytes left over, expected none");
  }

  @Test
  void a_refusal_says_where_what_and_what_was_expected() {
    Toy toy = new Toy(1);
    byte[] good = StateWriter.save(parts(toy));
    int mode = 1 + "toy0".length() + 2 + 4;
    good[mode] = 7;
    assertThatThrownBy(() -> StateReader.restore(good, parts(toy)))
        .isInstanceOf(StateException.class)
        .hasMessage("toy0.mode: 7, expected 0 to 2");
    byte[] other = StateWriter.save(List.of(new StatePart("pic", toy)));
    assertThatThrownBy(() -> StateReader.restore(other, parts(toy)))
        .isInstanceOf(StateException.class)
        .hasMessage("toy0: part 'pic', expected 'toy0'");
  }

  @Test
  void a_part_is_restored_among_others_that_stay_as_they_were() throws StateException {
    byte[] bytes = StateWriter.save(parts(new Toy(2), changed(2), changed(2)));
    Toy first = new Toy(2);
    Toy second = new Toy(2);
    StateReader.restoreSome(bytes, List.of(new StatePart("toy1", second)));
    assertThat(StateHasher.hash(parts(first))).isEqualTo(StateHasher.hash(parts(new Toy(2))));
    assertThat(StateHasher.hash(parts(second))).isEqualTo(StateHasher.hash(parts(changed(2))));
  }

  @Test
  void a_part_that_is_not_there_or_is_behind_a_damaged_one_is_refused() {
    byte[] bytes = StateWriter.save(parts(new Toy(2), changed(2)));
    Toy toy = new Toy(2);
    for (String missing : List.of("toy2", "toy")) {
      assertThatThrownBy(() -> StateReader.restoreSome(bytes, List.of(new StatePart(missing, toy))))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("only 0 bytes left");
    }
    byte[] cut = Arrays.copyOf(bytes, bytes.length - 1);
    assertThatThrownBy(() -> StateReader.restoreSome(cut, List.of(new StatePart("toy1", toy))))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("at most");
    bytes["x".length() + "toy0".length() + 2] = (byte) 0xFF; // the first part's length
    assertThatThrownBy(() -> StateReader.restoreSome(bytes, List.of(new StatePart("toy1", toy))))
        .isInstanceOf(StateException.class);
    assertThat(StateHasher.hash(parts(toy))).isEqualTo(StateHasher.hash(parts(new Toy(2))));
  }

  @Test
  void saving_a_value_out_of_its_range_is_an_error_of_ours_with_the_numbers() {
    Toy toy = new Toy(1);
    toy.inner.count = 0;
    assertThatThrownBy(() -> StateWriter.save(parts(toy)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("toy0.inner.count: 0, expected 1 to 65536");
  }

  @Test
  void any_change_of_any_leaf_changes_the_hash() {
    long hash = StateHasher.hash(parts(new Toy(2)));
    LeafFlipper flipper = new LeafFlipper();
    int leaves = flipper.count(parts(new Toy(2)));
    assertThat(leaves).isEqualTo(17);
    for (int leaf = 0; leaf < leaves; leaf++) {
      for (int bit = 0; bit < 64; bit++) {
        assertThat(flipper.hash(parts(new Toy(2)), leaf, bit))
            .as("leaf %d bit %d", leaf, bit)
            .isNotEqualTo(hash);
      }
    }
  }
}
