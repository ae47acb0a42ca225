package dev.troupe.runtime.debug.gdb;

import dev.troupe.runtime.cpu.Stops;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Breakpoints and watchpoints as GDB has inserted them (packets {@code Z0} to {@code Z4}). One that
 * is inserted twice is there once, as the manual wants it.
 */
final class StopTable {
  /** What became of a packet. */
  enum Answer {
    CHANGED,
    /** A type that there is not. */
    UNKNOWN,
    INVALID
  }

  /** Breakpoints and watchpoints together: what is looked through at each miss. */
  private static final int MAX_STOPS = 1024;

  /** Bytes of a range, at most. */
  private static final long MAX_LENGTH = 1 << 20;

  private record Entry(int type, long address, long length) {}

  private static final int HARDWARE = 1;
  private static final int WRITE = 2;
  private static final int READ = 3;
  private static final int ACCESS = 4;

  private final List<Entry> entries = new ArrayList<>();

  /**
   * Inserts or removes one.
   *
   * @param text type, address and kind, with commas between; conditions that follow are not taken
   */
  Answer change(String text, boolean insert) {
    String[] parts = text.split(",", -1);
    if (parts.length != 3 || parts[0].length() != 1) {
      return Answer.INVALID;
    }
    int type = parts[0].charAt(0) - '0';
    if (type < 0 || type > ACCESS) {
      return Answer.UNKNOWN;
    }
    OptionalLong address = Hex.number(parts[1]);
    OptionalLong length = Hex.number(parts[2]);
    if (address.isEmpty() || length.isEmpty()) {
      return Answer.INVALID;
    }
    // For an instruction it is the kind of breakpoint, and says nothing here.
    long bytes = type <= HARDWARE ? 1 : length.getAsLong();
    if (bytes < 1 || bytes > MAX_LENGTH) {
      return Answer.INVALID;
    }
    Entry entry = new Entry(type, address.getAsLong(), bytes);
    entries.remove(entry);
    if (insert) {
      if (entries.size() == MAX_STOPS) {
        return Answer.INVALID;
      }
      entries.add(entry);
    }
    return Answer.CHANGED;
  }

  List<Long> addresses() {
    return entries.stream().filter(e -> e.type <= HARDWARE).map(Entry::address).toList();
  }

  List<Stops.Watchpoint> watchpoints() {
    return entries.stream()
        .filter(e -> e.type > HARDWARE)
        .map(e -> new Stops.Watchpoint(access(e.type), e.address, e.length))
        .toList();
  }

  private static Stops.Access access(int type) {
    return switch (type) {
      case WRITE -> Stops.Access.WRITE;
      case READ -> Stops.Access.READ;
      default -> Stops.Access.EITHER;
    };
  }

  /** What a stop reply says of a hit: {@code n:r;}. */
  String reason(Stops.Hit hit, boolean tellsBreakpoints) {
    if (hit.watchpoint() == null) {
      boolean hardware = entries.contains(new Entry(HARDWARE, hit.address(), 1));
      return !tellsBreakpoints ? "" : hardware ? "hwbreak:;" : "swbreak:;";
    }
    String name =
        switch (hit.watchpoint().access()) {
          case WRITE -> "watch";
          case READ -> "rwatch";
          case EITHER -> "awatch";
        };
    // An access may begin before the range; GDB knows the range.
    long first = hit.watchpoint().linear();
    boolean inside = Long.compareUnsigned(hit.address() - first, hit.watchpoint().length()) < 0;
    return "%s:%x;".formatted(name, inside ? hit.address() : first);
  }
}
