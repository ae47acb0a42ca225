package dev.troupe.proto.message;

/** The two address spaces of an x86 bus. */
public enum AddressSpace {
  /** I/O ports, 0 to 0xFFFF. */
  PORT,
  /** Guest-physical memory addresses, 0 to 2^52-1, outside RAM. */
  MEMORY
}
