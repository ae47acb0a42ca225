package dev.troupe.runtime.boot;

import dev.troupe.runtime.memory.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * All that has to be in guest memory for a kernel to start, and how it is entered. Made and checked
 * before there is a machine; a reset writes it again.
 *
 * @param pieces what goes where, without overlaps, all of it in RAM
 * @param entry the first vCPU's state
 */
public record BootPlan(List<Piece> pieces, EntryState entry) {
  /**
   * Bytes at a place.
   *
   * @param address guest-physical
   * @param bytes the content
   * @param zeros how many zero bytes follow it
   * @param what what it is, for messages and listings
   */
  public record Piece(long address, MemorySegment bytes, long zeros, String what) {}

  public BootPlan {
    pieces = List.copyOf(pieces);
  }

  /** Writes all pieces. */
  public void write(GuestMemory memory) {
    for (Piece piece : pieces) {
      long end = piece.address + piece.bytes.byteSize();
      if (!memory.copyIn(piece.address, piece.bytes) || !memory.fill(end, piece.zeros, (byte) 0)) {
        throw new IllegalStateException(
            "%s at 0x%x, %d bytes, is not in the RAM of a machine with %d bytes"
                .formatted(
                    piece.what, piece.address, end + piece.zeros - piece.address, memory.size()));
      }
    }
  }
}
