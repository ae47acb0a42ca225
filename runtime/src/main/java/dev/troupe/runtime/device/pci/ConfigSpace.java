package dev.troupe.runtime.device.pci;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * The 256 bytes of configuration space of one PCI function (PCI Local Bus Specification 3.0,
 * chapter 6): a value, and which of its bits a guest can change.
 */
public final class ConfigSpace implements Stateful {
  public static final int SIZE = 256;

  private static final int VENDOR_ID = 0x00;
  private static final int DEVICE_ID = 0x02;
  private static final int COMMAND = 0x04;
  private static final int REVISION = 0x08;
  private static final int CLASS_CODE = 0x09;
  private static final int INTERRUPT_LINE = 0x3C;

  /** I/O space, memory space and bus master enables, and SERR#. */
  private static final int COMMAND_WRITABLE = 0x0107;

  private final byte[] bytes = new byte[SIZE];
  private final byte[] initial = new byte[SIZE];
  private final byte[] writable = new byte[SIZE];

  /**
   * A function without base address registers.
   *
   * @param classCode base class, subclass and programming interface: 0x060000 is a host bridge
   */
  public ConfigSpace(int vendor, int device, int revision, int classCode) {
    set(VENDOR_ID, 2, vendor, 0);
    set(DEVICE_ID, 2, device, 0);
    set(COMMAND, 2, 0, COMMAND_WRITABLE);
    set(REVISION, 1, revision, 0);
    set(CLASS_CODE, 3, classCode, 0);
    set(INTERRUPT_LINE, 1, 0, 0xFF);
  }

  /**
   * Sets {@code size} bytes at {@code offset} to their power-on value and says which bits are
   * writable.
   */
  public void set(int offset, int size, int value, int writableBits) {
    for (int i = 0; i < size; i++) {
      initial[offset + i] = (byte) (value >> (8 * i));
      bytes[offset + i] = initial[offset + i];
      writable[offset + i] = (byte) (writableBits >> (8 * i));
    }
  }

  /** Reads 1, 2 or 4 bytes that do not cross the end. */
  long read(int offset, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (bytes[offset + i] & 0xFFL) << (8 * i);
    }
    return value;
  }

  void write(int offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      int mask = writable[offset + i];
      bytes[offset + i] = (byte) ((bytes[offset + i] & ~mask) | ((int) (value >> (8 * i)) & mask));
    }
  }

  void reset() {
    System.arraycopy(initial, 0, bytes, 0, SIZE);
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.bytes("bytes", bytes);
    for (int i = 0; i < SIZE; i++) {
      boolean fixed = ((bytes[i] ^ initial[i]) & ~writable[i]) == 0;
      v.require(fixed, "bytes", bytes[i] & 0xFF, "the read-only bits of register " + i);
    }
  }
}
