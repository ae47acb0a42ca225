package dev.troupe.privileged.rows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A multiboot kernel that runs cases in 64-bit mode at ring 0 or 3, catches every exception and
 * interrupt, and sends a record of each over COM1. All tables are part of the image; the first 4
 * GiB are mapped to themselves, open to ring 3.
 */
final class PrivilegedGuest {
  static final int ORIGIN = 0x100000;

  /** Where ring 3 sees the first GiB of memory; at its own address only ring 0 does. */
  static final int USER = 0x4000_0000;

  /** A page that cases may use; zero at the beginning. */
  static final int SCRATCH = 0x180000;

  static final int KERNEL_STACK = 0x1F0000;
  static final int USER_STACK = 0x1E0000;

  /** Vector that ends a case. */
  static final int END = 0xFE;

  /** CR4 of every case's beginning: PAE, OSFXSR, OSXMMEXCPT. */
  static final long CR4 = 0x620;

  /** CR0 of every case's beginning: PE, MP, ET, NE, WP, PG. */
  static final long CR0 = 0x8001_0033L;

  /** What precedes the records on the serial line. */
  static final String MAGIC = "PRIVILEGED";

  /** Quadwords of a record. */
  static final int RECORD = 32;

  private static final int GDT = 0x101000;
  private static final int IDT = 0x102000;
  private static final int TSS = 0x103000;
  private static final int STUBS = 0x104000;
  private static final int HANDLER = 0x105000;
  private static final int VARIABLES = 0x106000;
  private static final int NEXT = VARIABLES;
  private static final int RECORDS_AT = VARIABLES + 8;
  private static final int PAGES = 0x110000;
  private static final int CASES = 0x120000;
  private static final int RECORDS = 0x200000;
  private static final int APIC = 0xFEE0_0000;
  private static final int SIZE = SCRATCH + 0x1000 - ORIGIN;

  private static final int ERROR_CODES =
      1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

  private final ByteBuffer image = ByteBuffer.allocate(SIZE);

  private PrivilegedGuest() {}

  /**
   * The kernel's file for these cases; fills in each case's code address.
   *
   * @param qemu what QEMU cannot run is left out; its records are empty
   */
  static byte[] image(List<PrivilegedCase> cases, boolean qemu) {
    return new PrivilegedGuest().build(cases, qemu);
  }

  private byte[] build(List<PrivilegedCase> cases, boolean qemu) {
    Assembler code = new Assembler(image, ORIGIN);
    tables(code);
    start(code);
    handler(code);
    code.at(CASES);
    for (PrivilegedCase c : cases) {
      emit(code, c, !qemu || c.inQemu());
    }
    finish(code, cases.size());
    if (code.here() > SCRATCH) {
      throw new IllegalStateException("cases end at " + Integer.toHexString(code.here()));
    }
    return image.array();
  }

  private void tables(Assembler code) {
    // Header: magic, flags (addresses follow), checksum; header, load, load end, bss end, entry.
    code.at(ORIGIN).dword(0x1BADB002).dword(0x10000).dword(-(0x1BADB002 + 0x10000));
    code.dword(ORIGIN).dword(ORIGIN).dword(0).dword(0).dword(ORIGIN + 0x20);
    code.at(GDT).qword(0).qword(0x00AF_9B00_0000_FFFFL).qword(0x00CF_9300_0000_FFFFL);
    code.qword(0x00CF_FB00_0000_FFFFL).qword(0x00CF_F300_0000_FFFFL);
    code.qword(0x00AF_FB00_0000_FFFFL);
    code.qword(0x0000_8900_0000_0067L | (long) (TSS & 0xFF_FFFF) << 16).qword(0);
    code.at(GDT + 0x80).word(0x3F).dword(GDT).dword(0);
    code.at(GDT + 0x90).word(0xFFF).qword(IDT);
    for (int v = 0; v < 256; v++) {
      int stub = STUBS + 16 * v;
      code.at(IDT + 16 * v).word(stub & 0xFFFF).word(8).word(0xEE00).word(stub >> 16).qword(0);
      code.at(stub);
      if (v >= 32 || (ERROR_CODES >>> v & 1) == 0) {
        code.hex("6a00");
      }
      code.hex("68").dword(v).jump(HANDLER);
    }
    // No I/O bitmap: its offset is the limit.
    code.at(TSS + 4).qword(KERNEL_STACK).at(TSS + 0x66).word(0x68);
    code.at(PAGES).qword(PAGES + 0x1007);
    code.at(PAGES + 0x1000);
    for (int i = 0; i < 4; i++) {
      code.qword(PAGES + 0x2007 + 0x1000L * i);
    }
    code.at(PAGES + 0x2000);
    for (long i = 0; i < 2048; i++) {
      boolean user = i >= 512 && i < 1024;
      code.qword(user ? (i - 512) << 21 | 0xE7 : i << 21 | 0xE3);
    }
    code.at(RECORDS_AT).qword(RECORDS);
  }

  private void start(Assembler code) {
    code.at(ORIGIN + 0x20).hex("fa 0f0115").dword(GDT + 0x80);
    code.hex("b8").dword(PAGES).hex("0f22d8");
    code.hex("b8").dword((int) CR4).hex("0f22e0");
    code.hex("b9 800000c0 b8 01090000 31d2 0f30"); // EFER: SCE LME NXE
    code.hex("b8").dword((int) CR0).hex("0f22c0");
    code.hex("ea").dword(code.here() + 6).word(8);
    code.hex("66b81000 8ed8 8ec0 8ed0 31c0 8ee0 8ee8 0f011c25").dword(GDT + 0x90);
    code.hex("66b83000 0f00d8");
    code.load(4, KERNEL_STACK);
    // All of the PIC masked; the local APIC enabled.
    code.hex("b0ff e621 e6a1").load(3, Integer.toUnsignedLong(APIC));
    code.hex("c783f0000000 ff010000");
    code.jump(CASES);
  }

  /** Stores a register, 0 to 15, in the record that rbx points to. */
  private static void store(Assembler code, int register, int slot) {
    code.hex(register < 8 ? "4889" : "4c89");
    code.raw(new byte[] {(byte) (0x83 | (register & 7) << 3)}).dword(8 * slot);
  }

  private void handler(Assembler code) {
    code.at(HANDLER).hex("50 53 488b1c25").dword(RECORDS_AT);
    for (int i = 0; i < 7; i++) { // vector, error code, rip, cs, rflags, rsp, ss
      code.hex("488b4424").raw(new byte[] {(byte) (16 + 8 * i)});
      store(code, 0, i);
    }
    code.hex("488b442408");
    store(code, 0, 8);
    code.hex("488b0424");
    store(code, 0, 8 + 3);
    for (int r = 1; r < 16; r++) {
      if (r != 3 && r != 4) {
        store(code, r, 8 + r);
      }
    }
    int slot = 24;
    for (String read : List.of("0f20d0", "0f21f0", "0f20c0", "0f20e0", "440f20c0")) {
      code.hex(read); // cr2, dr6, cr0, cr4, cr8
      store(code, 0, slot++);
    }
    // No watchpoint of the case may meet what follows.
    code.load(0, 0x400).hex("0f23f8").hex("488b0425").dword(SCRATCH);
    store(code, 0, slot);
    code.hex("4881c3").dword(8 * RECORD).hex("48891c25").dword(RECORDS_AT);
    code.load(0, CR0).hex("0f22c0").load(0, CR4).hex("0f22e0").load(0, PAGES).hex("0f22d8");
    code.load(0, 0xFFFF_0FF0L).hex("0f23f0");
    code.hex("31c0 440f22c0");
    code.load(3, Integer.toUnsignedLong(APIC)).hex("c783b000000000000000");
    code.hex("ff2425").dword(NEXT);
  }

  private void emit(Assembler code, PrivilegedCase c, boolean run) {
    code.load(4, KERNEL_STACK);
    int patch = code.here();
    code.load(0, 0).hex("48890425").dword(NEXT).hex("48c70425").dword(SCRATCH).dword(0);
    code.hex(c.setup());
    int jump = 0;
    if (c.ring() == 3) {
      code.hex("6a23 68").dword(USER + USER_STACK).hex("68").dword((int) c.flags()).hex("6a2b 68");
      jump = code.here();
      code.dword(0);
    } else {
      code.hex("68").dword((int) c.flags());
    }
    for (int r = 0; r < 16; r++) {
      if (r != 4) {
        code.load(r, c.register(r));
      }
    }
    code.hex(c.ring() == 3 ? "48cf" : "9d");
    c.address = code.here() + (c.ring() == 3 ? USER : 0);
    code.hex(run ? c.code() : "90".repeat(c.code().length() / 2)).hex("cdfe");
    int next = code.here();
    code.at(patch).load(0, next);
    if (jump != 0) {
      code.at(jump).dword(c.address);
    }
    code.at(next);
  }

  /** Sends the magic and all records, then leaves by port 0xF4. */
  private void finish(Assembler code, int count) {
    String send = "66bafd03 eca82074fb 66baf803 88d8 ee"; // wait for LSR bit 5; out 3F8, bl
    code.hex("66bafb03 b003 ee 66bafa03 b000 ee 66baf903 b000 ee");
    for (byte letter : MAGIC.getBytes(StandardCharsets.US_ASCII)) {
      code.hex("b3").raw(new byte[] {letter}).hex(send);
    }
    code.load(6, RECORDS).load(1, 8L * RECORD * count);
    int loop = code.here();
    code.hex("8a1e").hex(send).hex("48ffc6 48ffc9 0f85");
    code.dword(loop - code.here() - 4);
    code.hex("31c0 66baf400 ef f4");
  }
}
