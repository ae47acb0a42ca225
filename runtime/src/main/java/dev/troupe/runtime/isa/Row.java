package dev.troupe.runtime.isa;

import java.util.List;

/**
 * One row of the instruction table: one line of the vendor manual, operand sizes folded. The
 * columns are explained at the head of {@code integer.table}.
 *
 * @param number from 0, in the table's order; stable within one build only
 * @param encoding the opcode column
 * @param mnemonic upper case; two or three with slashes between, by operand size
 * @param operands at most four
 * @param access a letter an operand: r, w, x (both), a (address or nothing)
 * @param feature without it the row is as if absent
 * @param checks the {@code CHECK} bits below
 * @param flagsRead RFLAGS bits that the result depends on
 * @param flagsWritten RFLAGS bits with a defined new value
 * @param flagsUndefined RFLAGS bits that the manual leaves undefined
 * @param meaning the name that an interpreter method binds to
 */
public record Row(
    int number,
    Opcode encoding,
    String mnemonic,
    List<OperandCode> operands,
    String access,
    Feature feature,
    int checks,
    int flagsRead,
    int flagsWritten,
    int flagsUndefined,
    String meaning) {
  /** Not in 64-bit mode. */
  public static final int I64 = 1;

  /** Only in 64-bit mode. */
  public static final int O64 = 1 << 1;

  /** In 64-bit mode the operand size is 64 unless 66 makes it 16. */
  public static final int D64 = 1 << 2;

  /** In 64-bit mode the operand size is 64. */
  public static final int F64 = 1 << 3;

  /** #GP(0) above CPL 0. */
  public static final int CPL0 = 1 << 4;

  /** #UD in real and virtual-8086 mode. */
  public static final int PE = 1 << 5;

  /** LOCK is allowed if the first operand is in memory. */
  public static final int LOCK = 1 << 6;

  /** F2 and F3 repeat RCX times. */
  public static final int REP = 1 << 7;

  /** F3 repeats while equal, F2 while not. */
  public static final int REPZ = 1 << 8;

  /** Port access: IOPL and the I/O permission bitmap. */
  public static final int IO = 1 << 9;

  /** #NM if CR0.EM or TS; then #MF if an x87 exception is pending, but for {@link #NOWAIT}. */
  public static final int FPU = 1 << 10;

  /** #UD if CR0.EM, #NM if TS, #MF if an x87 exception is pending; enters MMX state. */
  public static final int MMX = 1 << 11;

  /** Leaves pending x87 exceptions alone. */
  public static final int NOWAIT = 1 << 12;

  /** FWAIT: #NM if CR0.MP and TS, then #MF if pending. */
  public static final int WAIT = 1 << 13;

  /** #UD if CR0.EM or not CR4.OSFXSR, #NM if TS. */
  public static final int SSE = 1 << 14;

  /** An SSE row that uses MMX registers too: also #MF if pending. */
  public static final int MMXREGS = 1 << 15;

  /** 16-byte memory operands need no alignment. */
  public static final int UNALIGNED = 1 << 16;

  /** FXSAVE, FXRSTOR: #NM if CR0.EM or TS. */
  public static final int FX = 1 << 17;

  /** #UD if not CR4.OSXSAVE, #NM if CR0.TS. */
  public static final int XSAVE = 1 << 18;

  /** #UD if not CR4.OSXSAVE. */
  public static final int OSXSAVE = 1 << 19;

  /** #GP(0) above CPL 0 if CR4.UMIP. */
  public static final int UMIP = 1 << 20;

  /** ModRM.mod is ignored: always the register form. */
  public static final int REGISTER = 1 << 21;

  /** The result is host-defined; without it, exact. */
  public static final int HOST = 1 << 22;

  /** Ends a block: changes control flow, mode, translation or the interrupt flag. */
  public static final int END = 1 << 23;

  /** The names of the checks by bit number, as in the table. */
  static final List<String> CHECKS =
      List.of(
          "i64", "o64", "d64", "f64", "cpl0", "pe", "lock", "rep", "repz", "io", "fpu", "mmx",
          "nowait", "wait", "sse", "mmxregs", "unal", "fx", "xsave", "osxsave", "umip", "reg",
          "host", "end");

  /** True if any of the check bits is set. */
  public boolean has(int check) {
    return (checks & check) != 0;
  }

  /** The opcode column's text. */
  public String opcode() {
    return encoding.text();
  }

  /** The operands in the manual's codes, with commas between. */
  public String syntax() {
    StringBuilder text = new StringBuilder();
    for (OperandCode operand : operands) {
      text.append(text.isEmpty() ? "" : ",").append(operand);
    }
    return text.toString();
  }

  /** The kind of operand {@code index}, or null if there are fewer. */
  public OperandCode operand(int index) {
    return index < operands.size() ? operands.get(index) : null;
  }

  /** True if operand {@code index} is read. */
  public boolean reads(int index) {
    char c = access.charAt(index);
    return c == 'r' || c == 'x';
  }

  /** True if operand {@code index} is written. */
  public boolean writes(int index) {
    char c = access.charAt(index);
    return c == 'w' || c == 'x';
  }

  /** True if the row can be in code of this mode, 16, 32 or 64. */
  public boolean inMode(int mode) {
    return !has(mode == 64 ? I64 : O64);
  }

  /**
   * The mnemonic at an operand size (JCXZ: address size) of 16, 32 or 64. Of two, the first is for
   * 16 and the second for 32 where 64 cannot be (port access, legacy rows), else the second is for
   * 64.
   */
  public String mnemonic(int size) {
    int slash = mnemonic.indexOf('/');
    if (slash < 0) {
      return mnemonic;
    }
    String[] names = mnemonic.split("/", -1);
    if (names.length == 3) {
      return names[size / 32];
    }
    return names[has(I64 | IO) ? Math.min(size, 32) / 32 : size / 64];
  }

  @Override
  public String toString() {
    return encoding + " " + mnemonic + " " + syntax();
  }
}
