package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import java.lang.invoke.VarHandle;

/** Caches, which guests cannot see, translations, and the order of memory accesses. */
public final class CacheControl {
  private static final int LINE = 64;
  private static final int PCID = 0xFFF;

  /** MFENCE's ModRM.reg. */
  private static final int MFENCE = 6;

  private CacheControl() {}

  /**
   * What serializing instructions do to memory besides what each is for (SDM vol. 3A, 8.3): stores
   * before them are seen by everybody before anything after them is done. Port I/O does so, too
   * (8.2.5), by leaving the engine.
   */
  static void serialize() {
    VarHandle.fullFence();
  }

  @Meaning(
      value = {"INVD", "WBINVD", "WBNOINVD"},
      flow = Flow.NEXT)
  public static void flushAll(Cpu c, Insn i) {
    // Memory is coherent; nothing is lost and nothing is kept.
    serialize();
  }

  /** Faults as a load of one byte does. */
  @Meaning(value = "CLFLUSH", flow = Flow.NEXT)
  public static void flushLine(Cpu c, Insn i) {
    c.mmu.probeRead(Operands.address(c, i, 1, false), 1);
    VarHandle.fullFence();
  }

  @Meaning(value = "CLZERO", flow = Flow.NEXT)
  public static void zeroLine(Cpu c, Insn i) {
    long offset = Operands.cut(c.gpr[Cpu.RAX], i.addressSize) & -LINE;
    long linear = Operands.linear(c, i.segment, offset, LINE, true);
    for (int at = 0; at < LINE; at += 8) {
      c.mmu.store64(linear + at, 0);
    }
  }

  /**
   * LFENCE and SFENCE order nothing that our loads and stores do not order already; MFENCE does.
   */
  @Meaning(value = "FENCE", flow = Flow.NEXT)
  public static void fence(Cpu c, Insn i) {
    if ((i.reg & 7) == MFENCE) {
      VarHandle.fullFence();
    }
  }

  @Meaning(value = "SERIALIZE", flow = Flow.END)
  public static void serialize(Cpu c, Insn i) {
    serialize();
  }

  /** Never faults on its address: one that is not canonical is no translation to drop. */
  @Meaning(value = "INVLPG", flow = Flow.END)
  public static void invalidatePage(Cpu c, Insn i) {
    serialize();
    long offset = Operands.offset(c, i);
    if ((c.mode & Mode.CODE_64) == 0) {
      c.mmu.invalidatePage((c.segmentBase[i.segment] + offset) & 0xFFFF_FFFFL);
      return;
    }
    long linear = i.segment >= Cpu.FS ? c.segmentBase[i.segment] + offset : offset;
    if (Msrs.canonical(linear)) {
      c.mmu.invalidatePage(linear);
    }
  }

  /** Translations carry no PCID, so those of any other than the current one are not there. */
  @Meaning(value = "INVPCID", flow = Flow.END)
  public static void invalidateContext(Cpu c, Insn i) {
    serialize();
    long type = Operands.register(c, i.reg, i.operandSize);
    long address = Operands.address(c, i, 16, false);
    long descriptor = c.mmu.load64(address);
    long linear = c.mmu.load64(address + 8);
    boolean pcids = (c.cr4 & ControlRegisters.PCIDE) != 0;
    boolean one = type == 0 || type == 1;
    if (Long.compareUnsigned(type, 3) > 0
        || (one && ((descriptor & ~(long) PCID) != 0 || (!pcids && descriptor != 0)))
        || (type == 0 && !Msrs.canonical(linear))) {
      throw c.fault(Fault.GP, 0);
    }
    boolean current = (descriptor & PCID) == (pcids ? c.cr3 & PCID : 0);
    if (type == 2) {
      c.mmu.flushAll();
    } else if (type == 3 || (type == 1 && current)) {
      c.mmu.flushNonGlobal();
    } else if (type == 0 && current) {
      c.mmu.invalidateNonGlobalPage(linear);
    }
  }
}
