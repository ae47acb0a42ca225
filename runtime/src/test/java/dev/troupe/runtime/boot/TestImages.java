package dev.troupe.runtime.boot;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Small kernels of each kind, made field by field after the formats' specifications. */
final class TestImages {
  /** The machine that tests describe; the addresses are a PC's usual ones. */
  static BoardDescription board(int cpus) {
    return new BoardDescription(
        cpus,
        0xFEE0_0000L,
        0xFEC0_0000L,
        0,
        0x600,
        9,
        5,
        0xCF9,
        6,
        0x3F8,
        4,
        0x70,
        8,
        0xF000_0000L,
        0xFEBF_FFFFL);
  }

  static final int BZ_KERNEL_BYTES = 4096;
  static final long BZ_PREFERRED = 0x100_0000;
  static final long BZ_INIT_SIZE = 0x40_0000;

  /** A bzImage of one setup sector and {@value #BZ_KERNEL_BYTES} bytes of kernel, all 0x5A. */
  static GuestBuffer bzImage() {
    GuestBuffer b = new GuestBuffer(1024 + BZ_KERNEL_BYTES);
    b.u8(0x1F1, 1)
        .u32(0x1F4, BZ_KERNEL_BYTES / 16)
        .u16(0x1FE, 0xAA55)
        .u8(0x200, 0xEB)
        .u8(0x201, 0x6A);
    b.bytes(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII))
        .u16(0x206, 0x20F)
        .u8(0x211, 1)
        .u32(0x214, 0x100000);
    b.u32(0x22C, 0x7FFF_FFFF).u32(0x230, 0x20_0000).u8(0x234, 1).u16(0x236, 1).u32(0x238, 2047);
    b.u64(0x258, BZ_PREFERRED).u32(0x260, BZ_INIT_SIZE);
    byte[] kernel = new byte[BZ_KERNEL_BYTES];
    Arrays.fill(kernel, (byte) 0x5A);
    return b.bytes(1024, kernel);
  }

  /** An ELF64 with one segment at 1 MiB (virtual: high) and a PVH note in the second header. */
  static GuestBuffer pvh() {
    GuestBuffer b = new GuestBuffer(0x1000 + 0x100);
    b.bytes(0, new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1})
        .u16(0x10, 2)
        .u16(0x12, 62)
        .u64(0x18, 0x100000);
    b.u64(0x20, 64).u16(0x36, 56).u16(0x38, 2);
    header64(b, 64, 1, 0x1000, 0xFFFF_FFFF_8010_0000L, 0x100000, 0x100, 0x3000);
    header64(b, 120, 4, 0x200, 0, 0, 20, 20);
    b.u32(0x200, 4)
        .u32(0x204, 4)
        .u32(0x208, 18)
        .bytes(0x20C, "Xen\0".getBytes(StandardCharsets.US_ASCII))
        .u32(0x210, 0x100040);
    return b.bytes(0x1000, pattern(0x100));
  }

  private static void header64(
      GuestBuffer b,
      int at,
      int type,
      long offset,
      long virtual,
      long physical,
      long file,
      long memory) {
    b.u32(at, type).u64(at + 8, offset).u64(at + 16, virtual).u64(at + 24, physical);
    b.u64(at + 32, file).u64(at + 40, memory);
  }

  /**
   * An ELF32 with a multiboot header at 0x100 and one segment at 1 MiB, linked at 3 GiB + 1 MiB.
   */
  static GuestBuffer multibootElf() {
    GuestBuffer b = new GuestBuffer(0x1000 + 0x100);
    b.bytes(0, new byte[] {0x7F, 'E', 'L', 'F', 1, 1, 1})
        .u16(0x10, 2)
        .u16(0x12, 3)
        .u32(0x18, 0xC010_0010L);
    b.u32(0x1C, 52).u16(0x2A, 32).u16(0x2C, 1);
    b.u32(52, 1)
        .u32(56, 0x1000)
        .u32(60, 0xC010_0000L)
        .u32(64, 0x100000)
        .u32(68, 0x100)
        .u32(72, 0x2000);
    multibootHeader(b, 0x100, 3);
    return b.bytes(0x1000, pattern(0x100));
  }

  /**
   * A flat kernel of 0x400 bytes at 1 MiB whose header, at 0x20, gives the addresses; bss to
   * 0x101000.
   */
  static GuestBuffer multibootFlat() {
    GuestBuffer b = new GuestBuffer(0x400);
    multibootHeader(b, 0x20, 0x10000);
    b.u32(0x2C, 0x100020).u32(0x30, 0x100000).u32(0x34, 0x100400).u32(0x38, 0x101000);
    return b.u32(0x3C, 0x100080);
  }

  static void multibootHeader(GuestBuffer b, int at, int flags) {
    b.u32(at, 0x1BADB002).u32(at + 4, flags).u32(at + 8, -(0x1BADB002 + flags));
  }

  static byte[] pattern(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 7 + 1);
    }
    return bytes;
  }

  static BootRequest request(long memory, String commandLine, Image... modules) {
    List<BootRequest.Module> list =
        List.of(modules).stream().map(m -> new BootRequest.Module(m, m.name() + " arg")).toList();
    return new BootRequest(list, commandLine, memory, board(1), true);
  }

  private TestImages() {}
}
