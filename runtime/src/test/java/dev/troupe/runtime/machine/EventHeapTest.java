package dev.troupe.runtime.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The order of timers. */
final class EventHeapTest {
  private record Key(int actor, int timer) {}

  private record Entry(Key key, long deadline, long sequence) {}

  @Test
  void timers_come_by_deadline_then_actor_then_order_of_setting() {
    EventHeap heap = new EventHeap(3);
    heap.set(2, 0, 10);
    heap.set(1, 1, 10);
    heap.set(1, 0, 10);
    heap.set(0, 0, 20);
    assertThat(heap.nextDeadline()).isEqualTo(10);
    assertThat(heap.poll(9)).isNull();
    assertThat(heap.poll(10)).isEqualTo(new EventHeap.Due(1, 1, 10));
    assertThat(heap.poll(10)).isEqualTo(new EventHeap.Due(1, 0, 10));
    assertThat(heap.poll(10)).isEqualTo(new EventHeap.Due(2, 0, 10));
    assertThat(heap.poll(10)).isNull();
    heap.set(0, 0, EventHeap.NEVER);
    assertThat(heap.nextDeadline()).isEqualTo(EventHeap.NEVER);
  }

  @Test
  void any_sequence_agrees_with_a_sorted_list() {
    for (long seed = 0; seed < 50; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      EventHeap heap = new EventHeap(8);
      TreeMap<Integer, Entry> model = new TreeMap<>();
      long sequence = 0;
      for (int step = 0; step < 2_000; step++) {
        int actor = random.nextInt(8);
        int timer = random.nextInt(5);
        int slot = actor * 100 + timer;
        switch (random.nextInt(4)) {
          case 0 -> {
            heap.set(actor, timer, EventHeap.NEVER);
            model.remove(slot);
          }
          case 1 -> {
            long now = random.nextLong(100);
            Entry first =
                model.values().stream()
                    .min(
                        Comparator.comparingLong(Entry::deadline)
                            .thenComparingInt(e -> e.key().actor())
                            .thenComparingLong(Entry::sequence))
                    .filter(e -> e.deadline() <= now)
                    .orElse(null);
            EventHeap.Due due = heap.poll(now);
            if (first == null) {
              assertThat(due).as("seed %d step %d", seed, step).isNull();
            } else {
              assertThat(due)
                  .as("seed %d step %d", seed, step)
                  .isEqualTo(
                      new EventHeap.Due(
                          first.key().actor(), first.key().timer(), first.deadline()));
              model.remove(first.key().actor() * 100 + first.key().timer());
            }
          }
          default -> {
            long deadline = random.nextLong(100);
            heap.set(actor, timer, deadline);
            model.put(slot, new Entry(new Key(actor, timer), deadline, sequence++));
          }
        }
      }
    }
  }
}
