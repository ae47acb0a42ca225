package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.memory.Raw;
import java.util.HexFormat;

/**
 * LOCK CMPXCHG16B as the host's own instruction: the one atomic step that Java has no word for. The
 * arguments lie in 40 bytes outside the heap: the address, the expected value (which the stub
 * replaces by what it found) and the new value, low halves first.
 */
public final class WideExchange {
  /** Bytes of an argument block. */
  public static final int BLOCK = 40;

  private static final int EXPECTED = 8;
  private static final int VALUE = 24;

  private static final HostStub STUB =
      HostStub.available()
          ? new HostStub(
              HexFormat.of()
                  .parseHex(
                      "53" // push rbx
                          + "488b4708" // mov rax,[rdi+8]
                          + "488b5710" // mov rdx,[rdi+16]
                          + "488b5f18" // mov rbx,[rdi+24]
                          + "488b4f20" // mov rcx,[rdi+32]
                          + "4c8b07" // mov r8,[rdi]
                          + "f0490fc708" // lock cmpxchg16b [r8]
                          + "48894708" // mov [rdi+8],rax
                          + "48895710" // mov [rdi+16],rdx
                          + "0f94c0" // sete al
                          + "0fb6c0" // movzx eax,al
                          + "5b" // pop rbx
                          + "c3")) // ret
          : null;

  private WideExchange() {}

  /** Whether this host has it. */
  public static boolean available() {
    return STUB != null;
  }

  /**
   * Compares the 16 bytes at {@code host}, aligned to 16, with an expected value, and replaces them
   * if they are equal.
   *
   * @param block host address of {@link #BLOCK} bytes of the caller's own
   * @return true if they were equal; {@link #low} and {@link #high} give what was there
   */
  public static boolean swap(
      long block, long host, long expectedLow, long expectedHigh, long low, long high) {
    Raw.put64(block, host);
    Raw.put64(block + EXPECTED, expectedLow);
    Raw.put64(block + EXPECTED + 8, expectedHigh);
    Raw.put64(block + VALUE, low);
    Raw.put64(block + VALUE + 8, high);
    return STUB.call(block) != 0;
  }

  /** The low half of what the last {@link #swap} with this block found. */
  public static long low(long block) {
    return Raw.get64(block + EXPECTED);
  }

  /** The high half. */
  public static long high(long block) {
    return Raw.get64(block + EXPECTED + 8);
  }
}
