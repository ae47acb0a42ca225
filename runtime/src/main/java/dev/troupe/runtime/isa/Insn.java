package dev.troupe.runtime.isa;

/**
 * One decoded instruction: the row it matched and its operands, read once from guest bytes. Never
 * changed after decoding.
 */
public final class Insn {
  /** The table row; carries mnemonic, syntax, feature, checks, flags and meaning. */
  public Row row;

  /**
   * Interpreter dispatch code, (group &lt;&lt; 6) | case; assigned from row, operand size and
   * register or memory form.
   */
  public int form;

  /** Bytes, 1 to 15; where decoding failed, the bytes looked at. */
  public int length;

  /** 16, 32 or 64: the effective operand size. */
  public int operandSize;

  /** 16, 32 or 64: the effective address size. */
  public int addressSize;

  /**
   * ModRM.reg with REX.R, or the register in the opcode with REX.B, or 0; 8-bit operands: 0-15 low
   * bytes, 16-19 AH CH DH BH. A segment (0 to 5), control (0 2 3 4 8), debug (0 to 7), MMX (0 to 7)
   * or XMM register where the operand code says so.
   */
  public int reg;

  /**
   * ModRM.rm with REX.B when it names a register, numbered as {@link #reg} (x87: 0 to 7); else -1.
   */
  public int rm;

  /** True if the ModRM operand (or moffs, or string operand) is in memory. */
  public boolean memory;

  /**
   * Base register, or 16 for none (also RIP-relative: then {@link #displacement} holds the distance
   * from the next one).
   */
  public int base;

  /** Index register, or 16 for none. */
  public int index;

  /** Shift of the index, 0 to 3. */
  public int scale;

  /** Sign-extended displacement or moffs. */
  public long displacement;

  /** True if the displacement stands in the code, be it 0: for the disassembler. */
  public boolean displaced;

  /** True if there is a SIB byte, be it needed or not: for the disassembler. */
  public boolean sib;

  /** True for RIP-relative addressing. */
  public boolean ripRelative;

  /**
   * Effective segment, ES 0 to GS 5, override and default applied; without a memory operand DS or
   * the override, for rows whose memory is implicit (MASKMOVQ, MONITOR).
   */
  public int segment;

  /**
   * First immediate, sign- or zero-extended as the operand code says; relative branches: the signed
   * distance.
   */
  public long immediate;

  /** Second immediate: ENTER's level, a far pointer's selector. */
  public int immediate2;

  public boolean lock;

  /** 0, 0xF2 or 0xF3: the last repeat prefix, where it is no mandatory prefix of the row. */
  public int repeat;

  /** REX byte, or 0; a VEX prefix's R X B W in the same place. */
  public int rex;

  /**
   * Offset in CS of the instruction; set by the engine when it puts the instruction into a block.
   */
  public long rip;

  /**
   * Offset in CS of the instruction after this one, wrapped at the code size; set with {@link
   * #rip}.
   */
  public long nextRip;

  /**
   * How the memory operand's address is formed (the engine's {@code Operands} constants); set with
   * {@link #rip}.
   */
  public int addressing;

  /** VEX.vvvv as a register number, or 0. */
  public int vvvv;

  /** The code's mode: 16, 32 or 64. */
  public int mode;
}
