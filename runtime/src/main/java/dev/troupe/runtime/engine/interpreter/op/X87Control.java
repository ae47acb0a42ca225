package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;

/**
 * x87 control instructions: control and status words, environment, state (SDM vol. 1, 8.1 and
 * 8.3.11).
 */
public final class X87Control {
  private static final int REGISTER_BYTES = 10;
  private static final int ALL_MASKED = 0x3F;

  /** Fields of words are stored in doublewords whose upper halves are all ones. */
  private static final long UPPER = 0xFFFF_0000L;

  private X87Control() {}

  @Meaning("FWAIT")
  public static void fwait(Cpu c, Insn i) {
    c.x87.checkPending(c);
  }

  @Meaning("FNOP")
  public static void fnop(Cpu c, Insn i) {
    // What it does, reporting a pending exception, is done.
  }

  @Meaning("FNINIT")
  public static void fninit(Cpu c, Insn i) {
    c.x87.initialize();
    c.x87.releaseErrorLine(c);
  }

  @Meaning("FNCLEX")
  public static void fnclex(Cpu c, Insn i) {
    c.x87.status &= X87.C0 | X87.C1 | X87.C2 | X87.C3;
    c.x87.releaseErrorLine(c);
  }

  @Meaning("FNSTSW")
  public static void fnstsw(Cpu c, Insn i) {
    Operands.store(c, i, 16, c.x87.statusWord());
  }

  @Meaning("FNSTCW")
  public static void fnstcw(Cpu c, Insn i) {
    Operands.store(c, i, 16, c.x87.control);
  }

  @Meaning("FLDCW")
  public static void fldcw(Cpu c, Insn i) {
    c.x87.setControlWord((int) Operands.load(c, i, 16));
    c.x87.releaseErrorLine(c);
  }

  private static boolean wide(Insn i) {
    return i.operandSize != 16;
  }

  private static int environmentSize(Insn i) {
    return wide(i) ? 28 : 14;
  }

  /**
   * Linear address of the operand, all of it accessible. Alignment is checked as for its words or
   * doublewords (SDM vol. 3A, table 7-7); processors try its first byte, then its last.
   */
  private static long area(Cpu c, Insn i, int size, boolean write) {
    long area = Operands.address(c, i, size, write);
    int alignment = wide(i) ? 4 : 2;
    c.mmu.checkAlignment(area, alignment);
    if (write) {
      c.mmu.probeWrite(area, 1);
      c.mmu.probeWrite(area + size - 1, 1);
    } else {
      c.mmu.probeRead(area, 1);
      c.mmu.probeRead(area + size - 1, 1);
    }
    return area;
  }

  /**
   * Real-address and virtual-8086 mode store 20- or 32-bit linear addresses, protected mode
   * selectors and offsets.
   */
  private static boolean realFormat(Cpu c) {
    return (c.mode & Mode.PROTECTED) == 0 || (c.mode & Mode.V86) != 0;
  }

  @Meaning("FNSTENV")
  public static void fnstenv(Cpu c, Insn i) {
    long area = area(c, i, environmentSize(i), true);
    storeEnvironment(c, i, area);
    c.x87.setControlWord(c.x87.control | ALL_MASKED);
    c.x87.releaseErrorLine(c);
  }

  private static void storeEnvironment(Cpu c, Insn i, long area) {
    X87 x = c.x87;
    long fip = x.instructionPointer;
    long fdp = x.dataPointer;
    boolean real = realFormat(c);
    if (wide(i)) {
      c.mmu.store32(area, x.control | UPPER);
      c.mmu.store32(area + 4, x.statusWord() | UPPER);
      c.mmu.store32(area + 8, x.tagWord() | UPPER);
      if (real) {
        c.mmu.store32(area + 12, (fip & 0xFFFF) | UPPER);
        c.mmu.store32(area + 16, (fip >> 16 & 0xFFFF) << 12 | x.opcode);
        c.mmu.store32(area + 20, (fdp & 0xFFFF) | UPPER);
        c.mmu.store32(area + 24, (fdp >> 16 & 0xFFFF) << 12);
      } else {
        c.mmu.store32(area + 12, fip);
        c.mmu.store32(area + 16, (long) x.opcode << 16);
        c.mmu.store32(area + 20, fdp);
        c.mmu.store32(area + 24, UPPER);
      }
      return;
    }
    c.mmu.store16(area, x.control);
    c.mmu.store16(area + 2, x.statusWord());
    c.mmu.store16(area + 4, x.tagWord());
    c.mmu.store16(area + 6, fip & 0xFFFF);
    c.mmu.store16(area + 8, real ? (fip >> 16 & 0xF) << 12 | x.opcode : 0);
    c.mmu.store16(area + 10, fdp & 0xFFFF);
    c.mmu.store16(area + 12, real ? (fdp >> 16 & 0xF) << 12 : 0);
  }

  @Meaning("FLDENV")
  public static void fldenv(Cpu c, Insn i) {
    long area = area(c, i, environmentSize(i), false);
    loadEnvironment(c, i, area);
    c.x87.releaseErrorLine(c);
  }

  private static void loadEnvironment(Cpu c, Insn i, long area) {
    X87 x = c.x87;
    boolean real = realFormat(c);
    int step = wide(i) ? 4 : 2;
    int control = (int) c.mmu.load16(area);
    int status = (int) c.mmu.load16(area + step);
    int tags = (int) c.mmu.load16(area + 2L * step);
    if (wide(i)) {
      long low = c.mmu.load32(area + 12);
      long high = c.mmu.load32(area + 16);
      long data = c.mmu.load32(area + 20);
      x.instructionPointer = real ? (low & 0xFFFF) | (high >> 12 & 0xFFFF) << 16 : low;
      x.opcode = (int) (real ? high : high >> 16) & 0x7FF;
      x.dataPointer =
          real ? (data & 0xFFFF) | (c.mmu.load32(area + 24) >> 12 & 0xFFFF) << 16 : data;
    } else {
      long high = c.mmu.load16(area + 8);
      x.instructionPointer = c.mmu.load16(area + 6) | (real ? high >> 12 << 16 : 0);
      x.opcode = real ? (int) high & 0x7FF : 0;
      x.dataPointer = c.mmu.load16(area + 10) | (real ? c.mmu.load16(area + 12) >> 12 << 16 : 0);
    }
    x.setControlWord(control);
    x.setStatusWord(status);
    x.setTagWord(tags);
  }

  @Meaning("FNSAVE")
  public static void fnsave(Cpu c, Insn i) {
    X87 x = c.x87;
    int environment = environmentSize(i);
    long area = area(c, i, environment + 8 * REGISTER_BYTES, true);
    storeEnvironment(c, i, area);
    for (int n = 0; n < 8; n++) {
      long place = area + environment + (long) n * REGISTER_BYTES;
      // By words: quadwords are not aligned here, and alignment is none of theirs.
      long significand = x.significand[x.physical(n)];
      for (int word = 0; word < 4; word++) {
        c.mmu.store16(place + 2L * word, significand >>> (16 * word));
      }
      c.mmu.store16(place + 8, x.exponent[x.physical(n)]);
    }
    x.initialize();
    x.releaseErrorLine(c);
  }

  @Meaning("FRSTOR")
  public static void frstor(Cpu c, Insn i) {
    X87 x = c.x87;
    int environment = environmentSize(i);
    long area = area(c, i, environment + 8 * REGISTER_BYTES, false);
    loadEnvironment(c, i, area);
    for (int n = 0; n < 8; n++) {
      long place = area + environment + (long) n * REGISTER_BYTES;
      long significand = 0;
      for (int word = 0; word < 4; word++) {
        significand |= c.mmu.load16(place + 2L * word) << (16 * word);
      }
      x.significand[x.physical(n)] = significand;
      x.exponent[x.physical(n)] = (int) c.mmu.load16(place + 8);
    }
    x.releaseErrorLine(c);
  }

  @Meaning("FINCSTP")
  public static void fincstp(Cpu c, Insn i) {
    rotate(c, i, 1);
  }

  @Meaning("FDECSTP")
  public static void fdecstp(Cpu c, Insn i) {
    rotate(c, i, 7);
  }

  private static void rotate(Cpu c, Insn i, int by) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.top = x.top + by & 7;
    x.status &= ~X87.C1;
  }

  @Meaning("FFREE")
  public static void ffree(Cpu c, Insn i) {
    X87 x = c.x87;
    x.instructionPointer = i.rip;
    x.status &= ~X87.C1;
    x.used &= ~(1 << x.physical(i.rm));
  }

  @Meaning("FFREEP")
  public static void ffreep(Cpu c, Insn i) {
    ffree(c, i);
    c.x87.pop();
  }
}
