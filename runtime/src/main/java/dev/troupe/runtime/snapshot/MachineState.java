package dev.troupe.runtime.snapshot;

import dev.troupe.runtime.memory.GuestMemory;
import java.util.List;

/**
 * All state of one machine: its parts in a fixed order, and its memory. Only used at quiet points,
 * when every vCPU is between turns and the board is empty.
 */
public final class MachineState {
  private final List<StatePart> parts;
  private final GuestMemory memory;
  private final MemoryDigest digest;

  /**
   * The state of a machine; it opens a log of the memory's written pages.
   *
   * @param parts with unique names, in an order that is the same in every run
   */
  public MachineState(List<StatePart> parts, GuestMemory memory) {
    if (parts.stream().map(StatePart::name).distinct().count() != parts.size()) {
      throw new IllegalArgumentException(
          "parts need unique names: " + parts.stream().map(StatePart::name).toList());
    }
    this.parts = List.copyOf(parts);
    this.memory = memory;
    this.digest = new MemoryDigest(memory);
  }

  /** The parts, in their order. */
  public List<StatePart> parts() {
    return parts;
  }

  public GuestMemory memory() {
    return memory;
  }

  /**
   * The hash of everything. Its cost is that of the parts and of the pages written since the last
   * call.
   */
  public long hash() {
    return Mix.mix(StateHasher.hash(parts) + Mix.mix(digest.value()));
  }

  /** The digest of the memory alone. */
  public long memoryDigest() {
    return digest.value();
  }

  /** The parts' leaves, for people and comparisons; memory is not among them. */
  public StateListing listing() {
    return StateListing.of(parts);
  }
}
