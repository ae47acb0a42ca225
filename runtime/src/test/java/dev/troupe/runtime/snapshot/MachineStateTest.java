package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.engine.interpreter.PagedGuest;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.EventHeap;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A vCPU in the middle of its work, all devices and the timers together. */
final class MachineStateTest {
  /** Every part of a machine, the vCPU's guest as given. */
  static List<StatePart> parts(PagedGuest guest) {
    List<StatePart> parts = new ArrayList<>();
    parts.add(new StatePart("vcpu0", guest.vcpu));
    VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(guest.memory.size()).build();
    for (Device device : BoardLayout.standard(spec, 1_700_000_000_000_000_000L).devices()) {
      parts.add(new StatePart(device.name(), new DeviceBench(device).device));
    }
    EventHeap timers = new EventHeap(3);
    timers.set(1, 0, 5_000);
    timers.set(2, 1, 5_000);
    parts.add(new StatePart("timers", timers));
    return parts;
  }

  @Test
  void any_flipped_bit_of_any_leaf_changes_the_hash() {
    try (PagedGuest guest = new PagedGuest()) {
      guest.run(300);
      List<StatePart> parts = parts(guest);
      LeafFlipper flipper = new LeafFlipper();
      long hash = StateHasher.hash(parts);
      int leaves = flipper.count(parts);
      assertThat(leaves).isGreaterThan(500);
      for (int leaf = 0; leaf < leaves; leaf++) {
        for (int bit = 0; bit < 64; bit++) {
          if (flipper.hash(parts, leaf, bit) == hash) {
            throw new AssertionError("leaf %d bit %d".formatted(leaf, bit));
          }
        }
      }
    }
  }

  @Test
  void a_restored_twin_lists_and_hashes_alike() throws StateException {
    try (PagedGuest guest = new PagedGuest();
        PagedGuest other = new PagedGuest()) {
      for (int i = 0; i < 20; i++) {
        guest.run(1_000);
      }
      MachineState saved = new MachineState(parts(guest), guest.memory);
      MachineState twin = new MachineState(parts(other), other.memory);
      assertThat(twin.hash()).isNotEqualTo(saved.hash());
      StateReader.restore(StateWriter.save(saved.parts()), twin.parts());
      assertThat(StateListing.diff(saved.listing(), twin.listing())).isEmpty();
      assertThat(StateHasher.hash(twin.parts())).isEqualTo(StateHasher.hash(saved.parts()));
      assertThat(twin.hash()).as("its memory is another").isNotEqualTo(saved.hash());
    }
  }

  @Test
  void timers_fire_in_the_same_order_after_restoring() {
    EventHeap heap = new EventHeap(4);
    EventHeap twin = new EventHeap(4);
    twin.set(0, 5, 1);
    for (int timer : new int[] {3, 1, 2, 0}) {
      heap.set(2, timer, 100);
      heap.set(timer, 7, timer % 2 == 0 ? 100 : 50);
    }
    heap.set(2, 2, EventHeap.NEVER);
    States.copy(heap, twin);
    heap.set(3, 0, 100);
    twin.set(3, 0, 100);
    for (EventHeap.Due due = heap.poll(1_000); due != null; due = heap.poll(1_000)) {
      assertThat(twin.poll(1_000)).isEqualTo(due);
    }
    assertThat(twin.poll(1_000)).isNull();
    assertThat(States.diff(heap, twin)).isEmpty();
  }

  @Test
  void parts_of_one_name_are_refused() {
    try (PagedGuest guest = new PagedGuest()) {
      StatePart part = new StatePart("vcpu0", guest.vcpu);
      assertThatThrownBy(() -> new MachineState(List.of(part, part), guest.memory))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[vcpu0, vcpu0]");
    }
  }
}
