package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Rflags;

/**
 * Emits what makes {@link State#FLAGS} as the guest's processor leaves it where the host's leaves
 * something else: see {@link UndefinedFlags}. All of it destroys the host's flags.
 */
final class FlagImage {
  private static final int RAX = Assembler.RAX;
  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  /** Conditions of SETcc. */
  private static final int OVERFLOW = 0;

  private static final int SIGN = 8;
  private static final int PARITY = 10;

  /** The low byte of RFLAGS is the image's high one. */
  private static final int LOW_BYTE = 8;

  private static final int SIGN_BIT = 7;
  private static final int PARITY_BIT = 2;

  /** Bits of the low byte that can be set. */
  private static final int LOW_FLAGS = (int) ((Rflags.ARITHMETIC & 0xFF) | Rflags.FIXED);

  private FlagImage() {}

  /** RFLAGS, which are all in memory, in r15; RF and VM are never set here. */
  static void whole(Assembler a) {
    a.state(false, 0x0FB6, R15, State.FLAGS); // movzx r15d,byte: OF
    a.shiftLeft(R15, 11);
    a.state(false, 0x0B, R15, State.SYSTEM_FLAGS); // or
    a.state(false, 0x0A, R15, State.FLAGS + 1); // or r15b,
  }

  /** The arithmetic flags of RFLAGS, which are in r15, to memory; r10 and r11 are lost. */
  static void store(Assembler a) {
    a.registers(false, 0x0FB6, R10, R15); // movzx r10d,r15b
    a.and(false, R10, LOW_FLAGS);
    a.shiftLeft(R10, LOW_BYTE);
    a.move(R11, R15);
    a.emit(0x41, 0xC1, 0xEB, 11); // shr r11d,
    a.and(false, R11, 1);
    a.registers(false, 0x0B, R10, R11); // or
    a.emit(0x66);
    a.state(false, 0x89, R10, State.FLAGS); // mov [],r10w
  }

  /** AF is clear. */
  static void clearAux(Assembler a) {
    a.state(false, 0x80, 4, State.FLAGS + 1); // and byte [],
    a.emit(~(int) Rflags.AF);
  }

  /**
   * AF is clear if the count in CL is not 0.
   *
   * @param mask of the count
   */
  static void clearAuxByCl(Assembler a, int mask) {
    a.emit(0xF6, 0xC1, mask); // test cl,
    int unchanged = a.jump(Assembler.EQUAL);
    clearAux(a);
    a.patch(unchanged, a.position());
  }

  /**
   * The host's OF, which is CF too, and SF and PF of the low half of a product; r10, r11 and r15
   * are lost.
   *
   * @param low the host's register that it is in, r15 allowed
   */
  static void ofProduct(Assembler a, int low, int bits) {
    a.set(OVERFLOW, R10);
    a.arithmetic(Arithmetic.TEST, bits, low, low);
    a.set(SIGN, R11);
    a.set(PARITY, R15);
    a.registers(false, 0x0FB6, R10, R10); // movzx
    a.registers(false, 0x0FB6, R11, R11);
    a.registers(false, 0x0FB6, R15, R15);
    a.shiftLeft(R11, LOW_BYTE + SIGN_BIT);
    a.shiftLeft(R15, LOW_BYTE + PARITY_BIT);
    a.registers(false, 0x0B, R11, R15); // or
    a.move(R15, R10);
    a.shiftLeft(R15, LOW_BYTE);
    a.registers(false, 0x0B, R11, R15);
    a.registers(false, 0x0B, R11, R10);
    a.registers(false, 0x81, 1, R11); // or r11d,
    a.emit32((int) Rflags.FIXED << LOW_BYTE);
    a.emit(0x66);
    a.state(false, 0x89, R11, State.FLAGS); // mov [],r11w
  }

  /** These of the low byte are the host's, all else is left as it is; r10 and r15 are lost. */
  static void only(Assembler a, long flags) {
    int bits = (int) flags << LOW_BYTE;
    a.move(R15, RAX);
    a.emit(0x9F); // lahf
    a.and(false, RAX, bits);
    a.state(false, 0x0FB7, R10, State.FLAGS); // movzx r10d,word []
    a.and(false, R10, ~bits);
    a.registers(false, 0x0B, RAX, R10); // or
    a.emit(0x66);
    a.state(false, 0x89, RAX, State.FLAGS); // mov [],ax
    a.move(RAX, R15);
  }
}
