package dev.troupe.runtime.cpu;

/**
 * An exception on its way to the guest: thrown by whatever finds the cause, caught by the engine's
 * loop, which delivers it with the instruction's state unchanged. One object a vCPU, filled anew
 * each time and without a stack trace, because guests fault often.
 */
public final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Exceptions without an error code have this in {@link #error}. */
  public static final int NO_ERROR_CODE = -1;

  public static final int DE = 0;
  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int MC = 18;
  public static final int XM = 19;

  public int vector;
  public int error;

  /** For a page fault, what goes into CR2; for {@link #nonCanonical}, the linear address. */
  public long address;

  /**
   * A data access met a linear address that is not canonical: #GP(0), or #SS(0) if the instruction
   * reaches it through SS, which only the engine knows.
   */
  public boolean nonCanonical;

  Fault() {
    super(null, null, false, false);
  }
}
