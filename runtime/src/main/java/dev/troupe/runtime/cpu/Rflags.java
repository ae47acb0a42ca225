package dev.troupe.runtime.cpu;

/**
 * RFLAGS as one image (Intel SDM vol. 1, 3.4.3). The arithmetic flags live in {@link Cpu}'s four
 * flag words; this class turns them into bits and back. Hot instructions set the words themselves.
 */
public final class Rflags {
  public static final long CF = 1L << 0;

  /** Bit 1, which is always set. */
  public static final long FIXED = 1L << 1;

  public static final long PF = 1L << 2;
  public static final long AF = 1L << 4;
  public static final long ZF = 1L << 6;
  public static final long SF = 1L << 7;
  public static final long TF = 1L << 8;
  public static final long IF = 1L << 9;
  public static final long DF = 1L << 10;
  public static final long OF = 1L << 11;
  public static final long IOPL = 3L << 12;
  public static final int IOPL_SHIFT = 12;
  public static final long NT = 1L << 14;
  public static final long RF = 1L << 16;
  public static final long VM = 1L << 17;
  public static final long AC = 1L << 18;
  public static final long VIF = 1L << 19;
  public static final long VIP = 1L << 20;
  public static final long ID = 1L << 21;

  /** The six flags that arithmetic sets. */
  public static final long ARITHMETIC = CF | PF | AF | ZF | SF | OF;

  /** All flags that are not arithmetic. */
  public static final long SYSTEM = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

  /** All flags that exist; the other bits read as zero, bit 1 as one. */
  public static final long ALL = ARITHMETIC | SYSTEM;

  /** System flags on which the block key, the TLB bank or the engine's pace depend. */
  private static final long MODE = TF | RF | VM | AC;

  private Rflags() {}

  /** The whole image, bit 1 set. */
  public static long get(Cpu c) {
    return arithmetic(c) | c.systemFlags | FIXED;
  }

  /** CF PF AF ZF SF OF in place, all other bits zero. */
  public static long arithmetic(Cpu c) {
    long flags = c.flagCarry >>> 63;
    flags |= (c.flagCarry ^ (c.flagCarry << 1)) >>> 63 << 11;
    flags |= ((Integer.bitCount((int) c.flagSign & 0xFF) & 1) ^ 1L) << 2;
    flags |= c.flagAux & AF;
    flags |= (c.flagSign >>> 63) << 7;
    return c.flagZero == 0 ? flags | ZF : flags;
  }

  /** Sets all six arithmetic flags from an image; other bits of it are ignored. */
  public static void setArithmetic(Cpu c, long image) {
    long carry = image & 1;
    long overflow = (image >>> 11) & 1;
    c.flagCarry = (carry << 63) | ((carry ^ overflow) << 62);
    c.flagAux = image & AF;
    c.flagZero = (image & ZF) ^ ZF;
    // The low byte decides PF alone: 0 is even, 1 is odd.
    c.flagSign = (image & SF) << 56 | (((image >>> 2) & 1) ^ 1);
  }

  /**
   * Sets the flags that {@code mask} names from {@code image}, the others stay. Bits that do not
   * exist are ignored. Looks after what hangs on them: the mode word, and interrupts that IF now
   * lets in. Checks no privilege.
   */
  public static void set(Cpu c, long image, long mask) {
    if ((mask & ARITHMETIC) != 0) {
      long now =
          (mask & ARITHMETIC) == ARITHMETIC ? image : (arithmetic(c) & ~mask) | (image & mask);
      setArithmetic(c, now);
    }
    long old = c.systemFlags;
    long flags = (old & ~mask) | (image & mask & SYSTEM);
    if (flags != old) {
      c.systemFlags = flags;
      if (((flags ^ old) & MODE) != 0) {
        c.updateMode();
      }
      if ((flags & ~old & IF) != 0) {
        c.interruptsOpened();
      }
    }
  }
}
