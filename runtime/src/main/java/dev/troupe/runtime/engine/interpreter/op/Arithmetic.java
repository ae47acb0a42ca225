package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Integer addition, subtraction, comparison and the decimal adjustments (SDM vol. 2). */
public final class Arithmetic {
  private Arithmetic() {}

  @Meaning("ADD")
  public static long add(Cpu c, long a, long b, int size) {
    long r = a + b;
    Flags.sum(c, a, b, r, size);
    return r;
  }

  @Meaning("ADC")
  public static long adc(Cpu c, long a, long b, int size) {
    long r = a + b + Flags.carry(c);
    Flags.sum(c, a, b, r, size);
    return r;
  }

  @Meaning("SUB")
  public static long sub(Cpu c, long a, long b, int size) {
    long r = a - b;
    Flags.difference(c, a, b, r, size);
    return r;
  }

  @Meaning("SBB")
  public static long sbb(Cpu c, long a, long b, int size) {
    long r = a - b - Flags.carry(c);
    Flags.difference(c, a, b, r, size);
    return r;
  }

  @Meaning("CMP")
  public static void cmp(Cpu c, long a, long b, int size) {
    Flags.difference(c, a, b, a - b, size);
  }

  @Meaning("INC")
  public static long inc(Cpu c, long a, int size) {
    long r = a + 1;
    boolean carry = Flags.below(c);
    Flags.result(c, r, size);
    Flags.carryOverflow(c, carry, (r & Flags.mask(size)) == 1L << (size - 1));
    c.flagAux = a ^ r ^ 1;
    return r;
  }

  @Meaning("DEC")
  public static long dec(Cpu c, long a, int size) {
    long r = a - 1;
    boolean carry = Flags.below(c);
    Flags.result(c, r, size);
    Flags.carryOverflow(c, carry, (a & Flags.mask(size)) == 1L << (size - 1));
    c.flagAux = a ^ r ^ 1;
    return r;
  }

  @Meaning("NEG")
  public static long neg(Cpu c, long a, int size) {
    Flags.difference(c, 0, a, -a, size);
    return -a;
  }

  @Meaning(value = "XADD", flow = Flow.NEXT)
  public static void xadd(Cpu c, Insn i, int size) {
    if (!i.memory) {
      long source = Operands.register(c, i.reg, size);
      long old = Operands.register(c, i.rm, size);
      long sum = add(c, old, source, size);
      Operands.setRegister(c, i.reg, size, old);
      Operands.setRegister(c, i.rm, size, sum);
      return;
    }
    long address = Operands.address(c, i, size >> 3, true);
    long source = Operands.register(c, i.reg, size);
    long old;
    do {
      old = Operands.loadRmw(c, address, size);
    } while (!Operands.replace(c, i, address, size, old, old + source));
    add(c, old, source, size);
    Operands.setRegister(c, i.reg, size, old);
  }

  /** ADCX: adds with CF alone. */
  @Meaning("ADCX")
  public static long adcx(Cpu c, long a, long b, int size) {
    long r = a + b + Flags.carry(c);
    long carries = ((a & b) | ((a | b) & ~r)) << (64 - size);
    Flags.setCarry(c, carries < 0);
    return r;
  }

  /** ADOX: adds with OF alone. */
  @Meaning("ADOX")
  public static long adox(Cpu c, long a, long b, int size) {
    long r = a + b + (Flags.overflow(c) ? 1 : 0);
    long carries = ((a & b) | ((a | b) & ~r)) << (64 - size);
    Flags.carryOverflow(c, Flags.below(c), carries < 0);
    return r;
  }

  @Meaning(value = "DAA", flow = Flow.NEXT)
  public static void daa(Cpu c, Insn i) {
    int al = (int) c.gpr[Cpu.RAX] & 0xFF;
    boolean oldCarry = Flags.below(c);
    boolean low = (al & 15) > 9 || Flags.adjust(c);
    boolean high = al > 0x99 || oldCarry;
    int r = al + (low ? 6 : 0) + (high ? 0x60 : 0);
    decimal(c, r, low, high);
  }

  @Meaning(value = "DAS", flow = Flow.NEXT)
  public static void das(Cpu c, Insn i) {
    int al = (int) c.gpr[Cpu.RAX] & 0xFF;
    boolean oldCarry = Flags.below(c);
    boolean low = (al & 15) > 9 || Flags.adjust(c);
    boolean high = al > 0x99 || oldCarry;
    int r = al - (low ? 6 : 0) - (high ? 0x60 : 0);
    decimal(c, r, low, high || (low && al < 6));
  }

  private static void decimal(Cpu c, int al, boolean adjust, boolean carry) {
    Operands.setRegister(c, Cpu.RAX, 8, al);
    Flags.result(c, al, 8);
    Flags.carryOverflow(c, carry, false);
    c.flagAux = adjust ? 0x10 : 0;
  }

  @Meaning(value = "AAA", flow = Flow.NEXT)
  public static void aaa(Cpu c, Insn i) {
    int ax = (int) c.gpr[Cpu.RAX] & 0xFFFF;
    boolean adjust = (ax & 15) > 9 || Flags.adjust(c);
    unpacked(c, adjust ? ax + 0x106 : ax, adjust);
  }

  @Meaning(value = "AAS", flow = Flow.NEXT)
  public static void aas(Cpu c, Insn i) {
    int ax = (int) c.gpr[Cpu.RAX] & 0xFFFF;
    boolean adjust = (ax & 15) > 9 || Flags.adjust(c);
    unpacked(c, adjust ? ax - 0x106 : ax, adjust);
  }

  /** Result of AAA and AAS; OF, SF, ZF and PF are undefined and follow AL. */
  private static void unpacked(Cpu c, int ax, boolean adjust) {
    int r = ax & 0xFF0F;
    Operands.setRegister(c, Cpu.RAX, 16, r);
    Flags.result(c, r & 0xFF, 8);
    Flags.carryOverflow(c, adjust, false);
    c.flagAux = adjust ? 0x10 : 0;
  }

  @Meaning(value = "AAM", flow = Flow.NEXT)
  public static void aam(Cpu c, Insn i) {
    int base = (int) i.immediate & 0xFF;
    if (base == 0) {
      throw c.fault(Fault.DE);
    }
    int al = (int) c.gpr[Cpu.RAX] & 0xFF;
    Operands.setRegister(c, Cpu.RAX, 16, (al / base) << 8 | al % base);
    Flags.logic(c, al % base, 8);
  }

  @Meaning(value = "AAD", flow = Flow.NEXT)
  public static void aad(Cpu c, Insn i) {
    int ax = (int) c.gpr[Cpu.RAX] & 0xFFFF;
    int r = ((ax & 0xFF) + (ax >> 8) * ((int) i.immediate & 0xFF)) & 0xFF;
    Operands.setRegister(c, Cpu.RAX, 16, r);
    Flags.logic(c, r, 8);
  }
}
