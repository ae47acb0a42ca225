package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.memory.Raw;
import java.io.ByteArrayOutputStream;

/**
 * Instructions whose results the architecture leaves to the processor, run by the host's own (the
 * law on host-defined results): x87 transcendentals, RCPPS and RSQRTPS. Both engines take them from
 * here. Only where {@link HostStub#available()}.
 */
public final class HostMath {
  /** Second opcode byte, after D9, of the x87 instructions. */
  public static final int F2XM1 = 0xF0;

  public static final int FYL2X = 0xF1;
  public static final int FPTAN = 0xF2;
  public static final int FPATAN = 0xF3;
  public static final int FYL2XP1 = 0xF9;
  public static final int FSINCOS = 0xFB;
  public static final int FSIN = 0xFE;
  public static final int FCOS = 0xFF;

  /** Second opcode byte, after 0F, of the packed approximations. */
  public static final int RSQRTPS = 0x52;

  public static final int RCPPS = 0x53;

  // The operand block: FRSTOR's image of the state before, FNSAVE's of the state after, each an
  // environment of 28 bytes and
  // eight registers of 10.
  private static final int AFTER = 128;
  private static final int STATUS = 4;
  private static final int TAGS = 8;
  private static final int POINTERS_END = 28;
  private static final long REGISTER_BYTES = 10;

  /** Bytes of an operand block. */
  public static final int BLOCK_SIZE = 256;

  private static final int CONDITIONS = X87.C0 | X87.C1 | X87.C2 | X87.C3;
  private static final int FLAGS = 0x7F;

  /** Made on first use; each opcode byte's stub at its number. */
  private static final class Stubs {
    static final HostStub[] X87_STUBS = new HostStub[256];
    static final HostStub RSQRT = packed(RSQRTPS);
    static final HostStub RCP = packed(RCPPS);

    static {
      for (int opcode : new int[] {F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS}) {
        X87_STUBS[opcode] = x87(opcode);
      }
    }

    private static HostStub packed(int opcode) {
      return code(
          0x0F, 0x10, 0x07, // movups xmm0,[rdi]
          0x0F, opcode, 0xC0, // op xmm0,xmm0
          0x0F, 0x11, 0x07, // movups [rdi],xmm0
          0xC3);
    }

    /**
     * FNSAVE does not wait for an exception that the instruction left pending, and ends with the
     * JVM's control word, 37F.
     */
    private static HostStub x87(int opcode) {
      return code(
          0xDD, 0x27, // frstor [rdi]
          0xD9, opcode, 0xDD, 0xB7, AFTER, 0, 0, 0, // fnsave [rdi+AFTER]
          0xC3);
    }

    private static HostStub code(int... bytes) {
      ByteArrayOutputStream o = new ByteArrayOutputStream();
      for (int b : bytes) {
        o.write(b);
      }
      return new HostStub(o.toByteArray());
    }
  }

  private HostMath() {}

  /**
   * Runs an x87 instruction on the guest's registers: stack faults, condition codes, masked and
   * unmasked responses are the host's; FIP, FDP and FOP are not touched.
   *
   * @param opcode one of the constants here
   * @param block host address of {@link #BLOCK_SIZE} bytes that are the caller's
   */
  public static void x87(X87 x, int opcode, long block) {
    Raw.put32(block, x.control);
    // No exception flags: one that is pending and unmasked (CR0.NE = 0) would be raised on the
    // host.
    Raw.put32(block + STATUS, x.statusWord() & (CONDITIONS | 7 << 11));
    Raw.put32(block + TAGS, x.tagWord());
    for (int n = TAGS + 4; n < POINTERS_END; n += 4) {
      Raw.put32(block + n, 0);
    }
    for (int n = 0; n < 8; n++) {
      long place = block + POINTERS_END + n * REGISTER_BYTES;
      Raw.put64(place, x.significand[x.physical(n)]);
      Raw.put16(place + 8, (short) x.exponent[x.physical(n)]);
    }
    Stubs.X87_STUBS[opcode].call(block);
    long after = block + AFTER;
    int status = Raw.get16(after + STATUS) & 0xFFFF;
    x.top = status >> 11 & 7;
    x.setTagWord(Raw.get16(after + TAGS) & 0xFFFF);
    for (int n = 0; n < 8; n++) {
      long place = after + POINTERS_END + n * REGISTER_BYTES;
      x.significand[x.physical(n)] = Raw.get64(place);
      x.exponent[x.physical(n)] = Raw.get16(place + 8) & 0xFFFF;
    }
    x.status = (x.status & ~CONDITIONS) | (status & CONDITIONS);
    x.raise(status & FLAGS);
  }

  /**
   * Runs RCPPS or RSQRTPS on 16 bytes at {@code block}, in place. MXCSR has no part in them.
   *
   * @param opcode {@link #RCPPS} or {@link #RSQRTPS}
   */
  public static void packed(int opcode, long block) {
    (opcode == RCPPS ? Stubs.RCP : Stubs.RSQRT).call(block);
  }
}
