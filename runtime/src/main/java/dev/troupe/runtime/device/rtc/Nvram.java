package dev.troupe.runtime.device.rtc;

import dev.troupe.runtime.memory.GuestMemory;

/**
 * What firmware finds in the NVRAM: memory sizes and the number of processors, at QEMU's and vmd's
 * addresses.
 */
final class Nvram {
  static final int SIZE = 128;

  private static final int EQUIPMENT = 0x14;
  private static final int BASE_MEMORY = 0x15;
  private static final int EXTENDED_MEMORY = 0x17;
  private static final int CHECKSUM = 0x2E;
  private static final int EXTENDED_MEMORY_COPY = 0x30;
  private static final int ABOVE_16_MIB = 0x34;
  private static final int ABOVE_4_GIB = 0x5B;
  private static final int LAST_CPU = 0x5F;

  /** Equipment byte: a coprocessor. */
  private static final int COPROCESSOR = 1 << 1;

  private static final int KIB = 1024;
  private static final int UNIT = 64 * KIB;
  private static final long MIB = 1L << 20;

  /** Conventional memory in KiB. */
  private static final int BASE_KIB = 640;

  /** 0x17 counts KiB above 1 MiB up to 64 MiB: what INT 15h AH=88h can tell. */
  private static final long MAX_EXTENDED_KIB = 63 * KIB;

  private Nvram() {}

  static byte[] initial(long memoryBytes, int cpus) {
    long low = Math.min(memoryBytes, GuestMemory.HOLE_START);
    long high = memoryBytes - low;
    byte[] cells = new byte[SIZE];
    cells[EQUIPMENT] = COPROCESSOR;
    put(cells, BASE_MEMORY, BASE_KIB, 2);
    long extended = Math.clamp((low - MIB) / KIB, 0, MAX_EXTENDED_KIB);
    put(cells, EXTENDED_MEMORY, extended, 2);
    put(cells, EXTENDED_MEMORY_COPY, extended, 2);
    put(cells, ABOVE_16_MIB, Math.clamp((low - 16 * MIB) / UNIT, 0, 0xFFFF), 2);
    put(cells, ABOVE_4_GIB, Math.min(high / UNIT, 0xFF_FFFF), 3);
    cells[LAST_CPU] = (byte) (cpus - 1);
    int sum = 0;
    for (int i = 0x10; i < CHECKSUM; i++) {
      sum += cells[i] & 0xFF;
    }
    cells[CHECKSUM] = (byte) (sum >> 8);
    cells[CHECKSUM + 1] = (byte) sum;
    return cells;
  }

  private static void put(byte[] cells, int at, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      cells[at + i] = (byte) (value >> (8 * i));
    }
  }
}
