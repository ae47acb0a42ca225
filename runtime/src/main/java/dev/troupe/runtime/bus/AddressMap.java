package dev.troupe.runtime.bus;

import dev.troupe.proto.message.AddressSpace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the device behind a port or a guest-physical address. Immutable; lookups allocate nothing.
 *
 * <p>The rule for accesses that no single range takes whole, because they cross its end or are
 * wider than its registers: they are halved, lowest address first, until every part lies in one
 * range or in none, as an ISA bridge splits a wide cycle for an 8-bit device. Parts that nobody
 * claims read as all ones; writes to them vanish.
 */
public final class AddressMap {
  /** No device claims any byte of the access. */
  public static final int NONE = -1;

  /** More than one part: see {@link #pieces}. */
  public static final int SPLIT = -2;

  /** The I/O space's last port. */
  private static final int LAST_PORT = 0xFFFF;

  /** Range numbers are kept in bytes, with 0 for none; a PC board has about twenty. */
  private static final int MAX_RANGES = 127;

  private static final byte[] UNCLAIMED = new byte[256];

  /**
   * Addresses that one device claims.
   *
   * @param device the device's index on the board
   * @param space ports or memory
   * @param first the lowest address
   * @param last the highest address, inclusive
   * @param width the widest access in bytes that reaches the device whole: 1, 2, 4 or 8
   */
  public record Range(int device, AddressSpace space, long first, long last, int width) {
    public Range {
      if (device < 0 || first < 0 || last < first || Integer.bitCount(width) != 1 || width > 8) {
        throw new IllegalArgumentException(
            "bad range: device=%d first=%#x last=%#x width=%d"
                .formatted(device, first, last, width));
      }
      if (space == AddressSpace.PORT && last > LAST_PORT) {
        throw new IllegalArgumentException(
            "port range ends beyond 0xffff: last=%#x".formatted(last));
      }
    }

    private String text() {
      return "%s %#x-%#x of device %d".formatted(space, first, last, device);
    }
  }

  /**
   * One part of an access that was split.
   *
   * @param device index of the device that claims it
   * @param address the part's first address
   * @param size its bytes
   * @param shift the position of its lowest bit in the whole access's value
   */
  public record Piece(int device, long address, int size, int shift) {
    /** This part's bits of a value written. */
    public long extract(long value) {
      return (value >>> shift) & allOnes(size);
    }

    /** {@code value} with this part's bits replaced by what the device gave. */
    public long insert(long value, long part) {
      long mask = allOnes(size) << shift;
      return (value & ~mask) | ((part << shift) & mask);
    }
  }

  private final byte[][] ports = new byte[256][];
  private final int[] portDevice;
  private final int[] portLast;
  private final int[] portWidth;

  private final long[] memoryFirst;
  private final long[] memoryLast;
  private final int[] memoryDevice;
  private final int[] memoryWidth;

  /**
   * Makes the map.
   *
   * @throws IllegalArgumentException if two ranges overlap
   */
  public AddressMap(List<Range> ranges) {
    List<Range> portRanges = sorted(ranges, AddressSpace.PORT);
    List<Range> memoryRanges = sorted(ranges, AddressSpace.MEMORY);
    if (portRanges.size() > MAX_RANGES) {
      throw new IllegalArgumentException(
          "too many port ranges: count=%d, at most %d".formatted(portRanges.size(), MAX_RANGES));
    }
    portDevice = portRanges.stream().mapToInt(Range::device).toArray();
    portLast = portRanges.stream().mapToInt(r -> (int) r.last()).toArray();
    portWidth = portRanges.stream().mapToInt(Range::width).toArray();
    for (int i = 0; i < portRanges.size(); i++) {
      for (int p = (int) portRanges.get(i).first(); p <= portLast[i]; p++) {
        if (ports[p >> 8] == null) {
          ports[p >> 8] = new byte[256];
        }
        ports[p >> 8][p & 0xFF] = (byte) (i + 1);
      }
    }
    Arrays.setAll(ports, page -> ports[page] == null ? UNCLAIMED : ports[page]);
    memoryFirst = memoryRanges.stream().mapToLong(Range::first).toArray();
    memoryLast = memoryRanges.stream().mapToLong(Range::last).toArray();
    memoryDevice = memoryRanges.stream().mapToInt(Range::device).toArray();
    memoryWidth = memoryRanges.stream().mapToInt(Range::width).toArray();
  }

  private static List<Range> sorted(List<Range> ranges, AddressSpace space) {
    List<Range> sorted =
        ranges.stream()
            .filter(r -> r.space() == space)
            .sorted(Comparator.comparingLong(Range::first))
            .toList();
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i).first() <= sorted.get(i - 1).last()) {
        throw new IllegalArgumentException(
            "ranges overlap: %s and %s".formatted(sorted.get(i - 1).text(), sorted.get(i).text()));
      }
    }
    return sorted;
  }

  /** What a read of {@code size} bytes gives where nobody answers: 0xFF, 0xFFFF, ... */
  public static long allOnes(int size) {
    return size == 8 ? -1L : (1L << (8 * size)) - 1;
  }

  /**
   * The device that takes the whole access.
   *
   * @param size 1, 2, 4 or 8 bytes
   * @return its index, or {@link #NONE}, or {@link #SPLIT}
   */
  public int find(AddressSpace space, long address, int size) {
    return space == AddressSpace.PORT ? findPort((int) address, size) : findMemory(address, size);
  }

  private int findPort(int port, int size) {
    if (port < 0 || port > LAST_PORT) {
      return NONE;
    }
    int range = ports[port >> 8][port & 0xFF] - 1;
    if (range >= 0) {
      return size <= portWidth[range] && port + size - 1 <= portLast[range]
          ? portDevice[range]
          : SPLIT;
    }
    for (int p = port + 1; p < port + size && p <= LAST_PORT; p++) {
      if (ports[p >> 8][p & 0xFF] != 0) {
        return SPLIT;
      }
    }
    return NONE;
  }

  private int findMemory(long address, int size) {
    int low = 0;
    int high = memoryFirst.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (address <= memoryLast[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    long last = address + size - 1;
    if (low == memoryFirst.length || memoryFirst[low] > last) {
      return NONE;
    }
    boolean whole =
        memoryFirst[low] <= address && last <= memoryLast[low] && size <= memoryWidth[low];
    return whole ? memoryDevice[low] : SPLIT;
  }

  /**
   * The claimed parts of an access, lowest address first; at most {@code size} of them. What no
   * part covers reads as all ones.
   */
  public List<Piece> pieces(AddressSpace space, long address, int size) {
    List<Piece> pieces = new ArrayList<>(size);
    collect(space, address, size, 0, pieces);
    return pieces;
  }

  private void collect(AddressSpace space, long address, int size, int shift, List<Piece> pieces) {
    int device = find(space, address, size);
    if (device >= 0) {
      pieces.add(new Piece(device, address, size, shift));
    } else if (device == SPLIT) {
      int half = size / 2;
      collect(space, address, half, shift, pieces);
      collect(space, address + half, half, shift + 8 * half, pieces);
    }
  }
}
