package dev.troupe.runtime.debug;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.Arrays;

/**
 * Guest memory by linear address, as a vCPU's page tables have it now, whoever may access it there.
 * Looking changes nothing: no accessed bit, no translation, no device is read.
 */
public final class LinearMemory {
  private LinearMemory() {}

  /**
   * Reads bytes.
   *
   * @return as many as can be read from the first on: fewer than asked for, or none, where nothing
   *     is mapped or what is there is no RAM
   */
  public static byte[] read(Cpu cpu, long linear, int length) {
    byte[] bytes = new byte[length];
    long host = GuestMemory.NO_RAM;
    for (int i = 0; i < length; i++) {
      long address = linear + i;
      if (host == GuestMemory.NO_RAM || address % GuestMemory.PAGE_SIZE == 0) {
        host = cpu.mmu.peek(address);
        if (host == GuestMemory.NO_RAM) {
          return Arrays.copyOf(bytes, i);
        }
      }
      bytes[i] = Raw.get8(host++);
    }
    return bytes;
  }

  /**
   * Writes bytes.
   *
   * @return false, and nothing is written, if one of them has no RAM
   */
  public static boolean write(Cpu cpu, long linear, byte[] bytes) {
    if (read(cpu, linear, bytes.length).length < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      long physical = cpu.memory.physicalAddress(cpu.mmu.peek(linear + i));
      cpu.memory.copyIn(physical, bytes, i, 1);
    }
    return true;
  }
}
