package dev.troupe.lockstep;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateListing;
import dev.troupe.runtime.snapshot.StatePart;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Two machines with one guest, the first with the engine that is the reference, which take each
 * step together. Looking at them changes neither.
 */
final class Pair implements AutoCloseable {
  /** Differences that are told, of registers and of memory each. */
  private static final int MOST = 24;

  /** Bytes told of a difference in memory. */
  private static final int SOME_BYTES = 16;

  /** Bytes in memory that differ: where, and how many follow that are looked at. */
  record Bytes(long page, int offset, int count) {}

  final Side reference;
  final Side subject;

  /** What the subject's emitted code does. */
  final Entries entries;

  private long steps;
  private Side.Ran ran;
  private Side.Ran other;

  Pair(Lockstep.Options options, Lockstep.EngineMaker engines) {
    entries = new Entries();
    reference = options.side(engines.reference());
    subject = options.side(vcpu -> engines.subject(vcpu, entries));
  }

  /** Steps taken. */
  long steps() {
    return steps;
  }

  /** What the last step has run on the reference; null if all its vCPUs were halted. */
  Side.Ran ran() {
    return ran;
  }

  /** The same on the subject. */
  Side.Ran other() {
    return other;
  }

  boolean ended() {
    return reference.ended() || subject.ended();
  }

  void step() {
    ran = reference.step();
    other = subject.step();
    steps++;
  }

  void steps(long count) {
    while (steps < count) {
      step();
    }
  }

  /** Whether the last step has done the same on both sides, its vCPU's TLB and memory apart. */
  boolean same() {
    if (!Objects.equals(ran, other) || reference.ended() != subject.ended()) {
      return false;
    }
    if (ran == null || !reference.isQuiet(ran.vcpu())) {
      return true;
    }
    return reference.registers(ran.vcpu()) == subject.registers(ran.vcpu());
  }

  /** Whether a vCPU has exits under way, so that not all can be compared. */
  boolean quiet() {
    for (int vcpu = 0; vcpu < reference.guest.vcpus.size(); vcpu++) {
      if (!reference.isQuiet(vcpu) || !subject.isQuiet(vcpu)) {
        return false;
      }
    }
    return true;
  }

  /** Whether everything is the same; only where {@link #quiet}. */
  boolean allSame() {
    return same() && reference.parts() == subject.parts() && bytes(1).isEmpty();
  }

  /** Pages that differ: the first of their bytes that do. */
  List<Bytes> bytes(int most) {
    GuestMemory a = reference.guest.memory;
    GuestMemory b = subject.guest.memory;
    List<Bytes> all = new ArrayList<>();
    for (long page = 0; page < a.pages() && all.size() < most; page++) {
      if (a.isTouched(page) || b.isTouched(page)) {
        long at =
            Raw.segment(a.pageAddress(page), GuestMemory.PAGE_SIZE)
                .mismatch(Raw.segment(b.pageAddress(page), GuestMemory.PAGE_SIZE));
        if (at >= 0) {
          int count = (int) Math.min(SOME_BYTES, GuestMemory.PAGE_SIZE - at);
          all.add(new Bytes(page, (int) at, count));
        }
      }
    }
    return all;
  }

  /** The registers that differ, TLBs only if nothing else does; only where {@link #quiet}. */
  List<StateListing.Difference> registers() {
    List<StateListing.Difference> all = StateListing.diff(listing(reference), listing(subject));
    if (all.isEmpty()) {
      all =
          StateListing.diff(
              StateListing.of(reference.guest.parts), StateListing.of(subject.guest.parts));
    }
    return all.subList(0, Math.min(MOST, all.size()));
  }

  /** All registers of a machine by their names. */
  static StateListing listing(Side side) {
    return StateListing.of(
        side.guest.parts.stream()
            .map(part -> new StatePart(part.name(), v -> part.part().state(new WithoutTlb(v))))
            .toList());
  }

  List<Bytes> bytes() {
    return bytes(MOST);
  }

  @Override
  public void close() {
    reference.close();
    subject.close();
  }
}
