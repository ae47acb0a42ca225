package dev.troupe.board;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A sequence of port and I/O APIC accesses, made into a multiboot kernel that performs them, prints
 * what it read (a 32-bit hex number a line, on COM1, which it sets up anew for that) and leaves by
 * debug exit port 0xF4 with value 0.
 */
final class PortScript {
  /**
   * The kernel, a flat multiboot image for 0x100000. Its program walks a list of 8-byte entries
   * (operation, unused byte, 16-bit port, 32-bit value) behind it and keeps what it reads at
   * 0x200000. The listing:
   *
   * <pre>
   * header: magic 1BADB002, flags 10000, checksum, header and load address 100000, 0, 0, entry 100020
   * start:  mov esp,300000; mov esi,script; mov edi,200000
   * next:   lodsb; mov cl,al; lodsb; mov bl,al; lodsw; movzx edx,ax; lodsd
   *         cl=0: done; 1, 2, 3: out dx,al/ax/eax; 4, 5, 6: in al/ax/eax,dx, stosd;
   *         7: mov [edx+FEC00000],eax; 8: mov eax,[edx+FEC00000], stosd; else: eax times in al,61
   *         jmp next
   * done:   out 3FB,3; out 3F9,0; out 3FA,0; out 3FC,0; every dword from 200000 to edi: eight hex digits and a line feed,
   *         each after LSR bit 5 is set
   * exit:   mov eax,0; out F4,eax; hlt
   * </pre>
   */
  private static final byte[] KERNEL =
      HexFormat.of()
          .parseHex(
              "02b0ad1b00000100fe4f51e40000100000001000000000000000000020001000"
                  + "bc00003000be01011000bf00002000ac88c1ac88c366ad0fb7d0ad80f900745c"
                  + "80f9017503eeebe780f902750466efebde80f9037503efebd680f904750631c0"
                  + "ecabebcb80f905750731c066edabebbf80f9067504edabebb680f90775088982"
                  + "0000c0feeba980f90875098b820000c0feabeb9b89c1e461e2fceb9366bafb03"
                  + "b003ee66baf90331c0ee66bafa03ee66bafc03eebe0000200039fe743cad89c3"
                  + "b508c1c30488d8240f04303c397602042788c466bafd03eca82074fb66baf803"
                  + "88e0eefecd75db66bafd03eca82074fb66baf803b00aeeebc0b800000000e7f4"
                  + "f4");

  private static final int OUT = 0;
  private static final int IN = 3;
  private static final int STORE = 7;
  private static final int LOAD = 8;
  private static final int DELAY = 9;

  /** A read: where it is in the script, for people, and which bits are to be compared. */
  record Read(String what, int mask) {}

  private record Step(int operation, int port, int value) {}

  private final List<Step> steps = new ArrayList<>();
  private final List<Read> reads = new ArrayList<>();
  private String scene = "";

  /** Names what follows. */
  PortScript scene(String name) {
    scene = name;
    return this;
  }

  private static int log(int size) {
    return size == 4 ? 3 : size;
  }

  PortScript out(int port, int value) {
    return out(port, 1, value);
  }

  PortScript out(int port, int size, int value) {
    steps.add(new Step(OUT + log(size), port, value));
    return this;
  }

  /** Reads a byte of which all bits count. */
  PortScript in(int port) {
    return in(port, 1, -1);
  }

  PortScript in(int port, int size, int mask) {
    steps.add(new Step(IN + log(size), port, 0));
    reads.add(
        new Read(
            "%s: read %d of %d bytes at port %#x".formatted(scene, reads.size(), size, port),
            mask));
    return this;
  }

  /** Writes an I/O APIC register. */
  PortScript ioApic(int register, int value) {
    steps.add(new Step(STORE, 0x00, register));
    steps.add(new Step(STORE, 0x10, value));
    return this;
  }

  /** Reads an I/O APIC register. */
  PortScript ioApic(int register) {
    steps.add(new Step(STORE, 0x00, register));
    steps.add(new Step(LOAD, 0x10, 0));
    // QEMU keeps the reserved bits 17 to 31 of an entry's low half.
    int mask = register >= 0x10 && register % 2 == 0 ? 0x1FFFF : -1;
    reads.add(
        new Read(
            "%s: read %d of I/O APIC register %#x".formatted(scene, reads.size(), register), mask));
    return this;
  }

  /** Lets time pass: so many reads of port 0x61, a microsecond or so each. */
  PortScript delay(int count) {
    steps.add(new Step(DELAY, 0, count));
    return this;
  }

  List<Read> reads() {
    return List.copyOf(reads);
  }

  /** The kernel's file. */
  byte[] image() {
    ByteBuffer image =
        ByteBuffer.allocate(KERNEL.length + 8 * (steps.size() + 1)).order(ByteOrder.LITTLE_ENDIAN);
    image.put(KERNEL);
    for (Step step : steps) {
      image.put((byte) step.operation).put((byte) 0).putShort((short) step.port).putInt(step.value);
    }
    return image.array();
  }
}
