package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.Segmentation;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** The descriptor table registers, and looks at descriptors that fault for no selector. */
public final class DescriptorTables {
  private static final long MASK_24 = 0xFF_FFFF;
  private static final long MASK_32 = 0xFFFF_FFFFL;

  private DescriptorTables() {}

  // Pseudo-descriptors: limit, then base (SDM vol. 3A, 3.5.1)
  // ----------------------------------------

  private static boolean code64(Cpu c) {
    return (c.mode & Mode.CODE_64) != 0;
  }

  private static long base(Cpu c, long linear) {
    return code64(c) ? linear + 2 : (linear + 2) & MASK_32;
  }

  private static void storeTable(Cpu c, Insn i, int limit, long base) {
    int bytes = code64(c) ? 10 : 6;
    long linear = Operands.address(c, i, bytes, true);
    c.mmu.probeWrite(linear, bytes);
    c.mmu.store16(linear, limit);
    if (code64(c)) {
      c.mmu.store64(base(c, linear), base);
    } else {
      // All 32 bits of the base for 16-bit operands too, unlike an 80286 (SDM vol. 2B, SGDT).
      c.mmu.store32(base(c, linear), base);
    }
  }

  private static long loadBase(Cpu c, Insn i, long linear) {
    if (code64(c)) {
      long base = c.mmu.load64(base(c, linear));
      if (!Segmentation.canonical(base)) {
        throw c.fault(Fault.GP, 0);
      }
      return base;
    }
    long base = c.mmu.load32(base(c, linear));
    return i.operandSize == 16 ? base & MASK_24 : base;
  }

  @Meaning(value = "SGDT", flow = Flow.NEXT)
  public static void sgdt(Cpu c, Insn i) {
    storeTable(c, i, c.gdtLimit, c.gdtBase);
  }

  @Meaning(value = "SIDT", flow = Flow.NEXT)
  public static void sidt(Cpu c, Insn i) {
    storeTable(c, i, c.idtLimit, c.idtBase);
  }

  @Meaning(value = "LGDT", flow = Flow.END)
  public static void lgdt(Cpu c, Insn i) {
    CacheControl.serialize();
    long linear = Operands.address(c, i, code64(c) ? 10 : 6, false);
    int limit = (int) c.mmu.load16(linear);
    c.gdtBase = loadBase(c, i, linear);
    c.gdtLimit = limit;
  }

  @Meaning(value = "LIDT", flow = Flow.END)
  public static void lidt(Cpu c, Insn i) {
    CacheControl.serialize();
    long linear = Operands.address(c, i, code64(c) ? 10 : 6, false);
    int limit = (int) c.mmu.load16(linear);
    c.idtBase = loadBase(c, i, linear);
    c.idtLimit = limit;
  }

  // LDTR and TR
  // --------------------------------------------------------------------------------------

  @Meaning(value = "SLDT", flow = Flow.NEXT)
  public static void sldt(Cpu c, Insn i) {
    Operands.store(c, i, i.memory ? 16 : i.operandSize, c.selector[Cpu.LDTR]);
  }

  @Meaning(value = "STR", flow = Flow.NEXT)
  public static void str(Cpu c, Insn i) {
    Operands.store(c, i, i.memory ? 16 : i.operandSize, c.selector[Cpu.TR]);
  }

  @Meaning(value = "LLDT", flow = Flow.END)
  public static void lldt(Cpu c, Insn i) {
    CacheControl.serialize();
    c.segmentation.loadLocalTable((int) Operands.load(c, i, 16));
  }

  @Meaning(value = "LTR", flow = Flow.END)
  public static void ltr(Cpu c, Insn i) {
    CacheControl.serialize();
    c.segmentation.loadTask((int) Operands.load(c, i, 16));
  }

  // Looks at descriptors
  // -----------------------------------------------------------------------------

  private static void setZero(Cpu c, boolean zero) {
    Rflags.set(c, zero ? Rflags.ZF : 0, Rflags.ZF);
  }

  @Meaning(value = "LAR", flow = Flow.NEXT)
  public static void lar(Cpu c, Insn i) {
    show(c, i, c.segmentation.accessRights((int) Operands.load(c, i, 16)));
  }

  @Meaning(value = "LSL", flow = Flow.NEXT)
  public static void lsl(Cpu c, Insn i) {
    show(c, i, c.segmentation.limit((int) Operands.load(c, i, 16)));
  }

  private static void show(Cpu c, Insn i, long value) {
    boolean visible = value != Segmentation.INVISIBLE;
    if (visible) {
      Operands.setRegister(c, i.reg, i.operandSize, value);
    }
    setZero(c, visible);
  }

  @Meaning(value = "VERR", flow = Flow.NEXT)
  public static void verr(Cpu c, Insn i) {
    setZero(c, c.segmentation.verify((int) Operands.load(c, i, 16), false));
  }

  @Meaning(value = "VERW", flow = Flow.NEXT)
  public static void verw(Cpu c, Insn i) {
    setZero(c, c.segmentation.verify((int) Operands.load(c, i, 16), true));
  }

  @Meaning(value = "ARPL", flow = Flow.NEXT)
  public static void arpl(Cpu c, Insn i) {
    long selector = Operands.load(c, i, 16);
    long wanted = c.gpr[i.reg] & 3;
    boolean raised = (selector & 3) < wanted;
    if (raised) {
      Operands.store(c, i, 16, (selector & ~3L) | wanted);
    }
    setZero(c, raised);
  }
}
