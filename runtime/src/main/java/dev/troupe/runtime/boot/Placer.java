package dev.troupe.runtime.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Gives out guest RAM below 4 GiB to what is loaded, without overlaps. */
final class Placer {
  private static final long PAGE = 4096;

  private final MemoryMap map;

  /** Taken ranges: start to end. */
  private final TreeMap<Long, Taken> taken = new TreeMap<>();

  private record Taken(long end, String what) {}

  Placer(MemoryMap map) {
    this.map = map;
  }

  /**
   * Takes a range whose address the image prescribes.
   *
   * @throws BadImageException if it is not all usable RAM, or taken already
   */
  void claim(long start, long size, Image image, String what) {
    if (size == 0) {
      return;
    }
    if (map.lowRam().stream().noneMatch(r -> inside(start, size, r.start(), r.end()))) {
      throw image.bad(
          "%s needs %s bytes of RAM at 0x%x, the machine has RAM at %s"
              .formatted(what, Long.toUnsignedString(size), start, ranges()));
    }
    Map.Entry<Long, Taken> before = taken.lowerEntry(start + size);
    if (before != null && before.getValue().end > start) {
      throw image.bad(
          "%s at 0x%x, %d bytes, overlaps %s at 0x%x"
              .formatted(what, start, size, before.getValue().what, before.getKey()));
    }
    taken.put(start, new Taken(start + size, what));
  }

  /** Takes the lowest free place at or above {@code from}, page-aligned; -1 if there is none. */
  long lowest(long size, long from, String what) {
    for (long[] gap : gaps()) {
      long start = Math.max(gap[0], from) + PAGE - 1 & -PAGE;
      if (inside(start, size, gap[0], gap[1])) {
        taken.put(start, new Taken(start + size, what));
        return start;
      }
    }
    return -1;
  }

  /**
   * Takes the highest free place that is within [{@code from}, {@code below}), page-aligned; -1 if
   * there is none.
   */
  long highest(long size, long from, long below, String what) {
    for (long[] gap : gaps().reversed()) {
      long start = Math.min(gap[1], below) - size & -PAGE;
      if (size >= 0 && start >= from && inside(start, size, gap[0], gap[1])) {
        taken.put(start, new Taken(start + size, what));
        return start;
      }
    }
    return -1;
  }

  /** The largest free run of bytes at or above {@code from}, for messages. */
  long largestGap(long from) {
    return gaps().stream().mapToLong(g -> g[1] - Math.max(from, g[0])).max().orElse(0);
  }

  private static boolean inside(long start, long size, long from, long to) {
    return start >= from && start <= to && size >= 0 && size <= to - start;
  }

  private List<long[]> gaps() {
    List<long[]> gaps = new ArrayList<>();
    for (MemoryMap.Range range : map.lowRam()) {
      long at = range.start();
      for (Map.Entry<Long, Taken> t : taken.subMap(range.start(), range.end()).entrySet()) {
        if (t.getKey() > at) {
          gaps.add(new long[] {at, t.getKey()});
        }
        at = t.getValue().end;
      }
      if (at < range.end()) {
        gaps.add(new long[] {at, range.end()});
      }
    }
    return gaps;
  }

  private String ranges() {
    StringBuilder text = new StringBuilder();
    for (MemoryMap.Range r : map.lowRam()) {
      text.append(text.isEmpty() ? "" : ", ").append("0x%x-0x%x".formatted(r.start(), r.end() - 1));
    }
    return text.toString();
  }
}
