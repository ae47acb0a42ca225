package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootPlan.Piece;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a BIOS would have left in memory: a few words of the BIOS data area, and the ACPI tables.
 */
final class Firmware {
  private static final long BDA = 0x400;
  private static final int BDA_BYTES = 0x100;

  private Firmware() {}

  static void addTo(List<Piece> pieces, BoardDescription board) {
    // Kernels look for the serial port, the extended area and the end of conventional memory there.
    MemorySegment bda =
        new GuestBuffer(BDA_BYTES)
            .u16(0x00, board.com1Port())
            .u16(0x0E, (int) (MemoryMap.EBDA >> 4))
            .u16(0x13, (int) (MemoryMap.EBDA >> 10))
            .segment();
    if (pieces.stream().noneMatch(p -> overlaps(p, BDA, BDA_BYTES))) {
      pieces.add(new Piece(BDA, bda, 0, "BIOS data area"));
    }
    pieces.add(new Piece(AcpiTables.RSDP, AcpiTables.build(board), 0, "ACPI tables"));
  }

  private static boolean overlaps(Piece piece, long start, long size) {
    long end = piece.address() + piece.bytes().byteSize() + piece.zeros();
    return piece.address() < start + size && end > start;
  }
}
