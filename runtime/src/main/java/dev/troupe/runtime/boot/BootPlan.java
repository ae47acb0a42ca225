package dev.troupe.runtime.boot;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
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
  private static final long PAGE = 4096;

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
      copy(memory, piece.address, piece.bytes);
      clear(memory, piece.address + piece.bytes.byteSize(), piece.zeros);
    }
  }

  private static void copy(GuestMemory memory, long address, MemorySegment bytes) {
    long size = bytes.byteSize();
    for (long done = 0; done < size; ) {
      long n = Math.min(size - done, PAGE - (address + done) % PAGE);
      MemorySegment.copy(bytes, done, page(memory, address + done, n), 0, n);
      done += n;
    }
  }

  private static void clear(GuestMemory memory, long address, long size) {
    for (long done = 0; done < size; ) {
      long n = Math.min(size - done, PAGE - (address + done) % PAGE);
      page(memory, address + done, n).fill((byte) 0);
      done += n;
    }
  }

  private static MemorySegment page(GuestMemory memory, long address, long size) {
    long host = memory.hostAddress(address);
    if (host == GuestMemory.NO_RAM) {
      throw new IllegalStateException(
          "no RAM at 0x%x of a machine with %d bytes".formatted(address, memory.size()));
    }
    return Raw.segment(host, size);
  }
}
