package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.host.WideExchange;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;

/** Moves, conversions, exchanges, flag moves and what does nothing. */
public final class Move {
  private Move() {}

  /** Also MOVZX: sources come zero-extended. And LEA, whose source is the address. */
  @Meaning({"MOV", "MOVZX", "LEA", "MOVNTI", "MOVDIRI"})
  public static long mov(Cpu c, long a, int size) {
    return a;
  }

  @Meaning({"MOVSX", "MOVSXD"})
  public static long movsx(Cpu c, long a, int size, int sourceSize) {
    return Flags.extend(a, sourceSize);
  }

  @Meaning("CMOVCC")
  public static long cmov(Cpu c, boolean holds, long a, long b, int size) {
    return holds ? b : a;
  }

  @Meaning("SETCC")
  public static long set(Cpu c, boolean holds, int size) {
    return holds ? 1 : 0;
  }

  @Meaning(value = "CBW", flow = Flow.NEXT)
  public static void cbw(Cpu c, Insn i, int size) {
    Operands.setRegister(c, Cpu.RAX, size, Flags.extend(c.gpr[Cpu.RAX], size >> 1));
  }

  @Meaning(value = "CWD", flow = Flow.NEXT)
  public static void cwd(Cpu c, Insn i, int size) {
    Operands.setRegister(c, Cpu.RDX, size, Flags.extend(c.gpr[Cpu.RAX], size) >> 63);
  }

  /** Always atomic in memory. */
  @Meaning(value = "XCHG", flow = Flow.NEXT)
  public static void xchg(Cpu c, Insn i, int size) {
    long value = Operands.register(c, i.reg, size);
    if (!i.memory) {
      int other = i.rm < 0 ? Cpu.RAX : i.rm; // 90+r: with rAX
      Operands.setRegister(c, i.reg, size, Operands.register(c, other, size));
      Operands.setRegister(c, other, size, value);
      return;
    }
    long address = Operands.address(c, i, size >> 3, true);
    long old;
    do {
      old = Operands.loadRmw(c, address, size);
    } while (!Operands.compareAndSet(c, address, size, old, value));
    Operands.setRegister(c, i.reg, size, old);
  }

  /**
   * A destination in memory is written in any case, with what it held if they differ (SDM:
   * CMPXCHG). One in a register then stays as it is: processors do not even clear its upper half.
   */
  @Meaning(value = "CMPXCHG", flow = Flow.NEXT)
  public static void cmpxchg(Cpu c, Insn i, int size) {
    long expected = Operands.register(c, Cpu.RAX, size);
    long value = Operands.register(c, i.reg, size);
    long old;
    if (i.memory) {
      long address = Operands.address(c, i, size >> 3, true);
      do {
        old = Operands.loadRmw(c, address, size);
      } while (!Operands.replace(c, i, address, size, old, old == expected ? value : old));
    } else {
      old = Operands.register(c, i.rm, size);
      if (old == expected) {
        Operands.setRegister(c, i.rm, size, value);
      }
    }
    Flags.difference(c, expected, old, expected - old, size);
    if (old != expected) {
      Operands.setRegister(c, Cpu.RAX, size, old);
    }
  }

  @Meaning(value = "CMPXCHG8B", flow = Flow.NEXT)
  public static void cmpxchg8b(Cpu c, Insn i) {
    long address = Operands.address(c, i, 8, true);
    long expected = c.gpr[Cpu.RDX] << 32 | (c.gpr[Cpu.RAX] & 0xFFFF_FFFFL);
    long value = c.gpr[Cpu.RCX] << 32 | (c.gpr[Cpu.RBX] & 0xFFFF_FFFFL);
    long old;
    do {
      old = c.mmu.loadRmw64(address);
    } while (!Operands.replace(c, i, address, 64, old, old == expected ? value : old));
    Flags.setZero(c, old == expected);
    if (old != expected) {
      Operands.setRegister(c, Cpu.RAX, 32, old);
      Operands.setRegister(c, Cpu.RDX, 32, old >>> 32);
    }
  }

  /** #GP(0) unless aligned to 16 bytes. Atomic with and without LOCK. */
  @Meaning(value = "CMPXCHG16B", flow = Flow.NEXT)
  public static void cmpxchg16b(Cpu c, Insn i) {
    long address = Operands.address(c, i, 16, true);
    if ((address & 15) != 0) {
      throw c.fault(Fault.GP, 0);
    }
    long host = c.mmu.updatableHost(address, 16);
    if (host == GuestMemory.NO_RAM || !WideExchange.available()) {
      c.execution.alone(() -> exchange16(c, address));
      return;
    }
    long[] g = c.gpr;
    boolean equal =
        WideExchange.swap(c.scratch, host, g[Cpu.RAX], g[Cpu.RDX], g[Cpu.RBX], g[Cpu.RCX]);
    c.memory.written(host, 16);
    exchanged16(c, equal, WideExchange.low(c.scratch), WideExchange.high(c.scratch));
  }

  /** CMPXCHG16B in several accesses, while no other vCPU runs. */
  static void exchange16(Cpu c, long address) {
    long[] g = c.gpr;
    long low = c.mmu.loadRmw64(address);
    long high = c.mmu.loadRmw64(address + 8);
    boolean equal = low == g[Cpu.RAX] && high == g[Cpu.RDX];
    c.mmu.store128(address, equal ? g[Cpu.RBX] : low, equal ? g[Cpu.RCX] : high);
    exchanged16(c, equal, low, high);
  }

  private static void exchanged16(Cpu c, boolean equal, long low, long high) {
    Flags.setZero(c, equal);
    if (!equal) {
      c.gpr[Cpu.RAX] = low;
      c.gpr[Cpu.RDX] = high;
    }
  }

  @Meaning(value = "XLAT", flow = Flow.NEXT)
  public static void xlat(Cpu c, Insn i) {
    long offset = Operands.cut(c.gpr[Cpu.RBX] + (c.gpr[Cpu.RAX] & 0xFF), i.addressSize);
    Operands.setRegister8(c, Cpu.RAX, c.mmu.load8(Operands.linear(c, i, offset, 1, false)));
  }

  @Meaning(value = "BOUND", flow = Flow.NEXT)
  public static void bound(Cpu c, Insn i, int size) {
    long index = Flags.extend(Operands.register(c, i.reg, size), size);
    if (index < Flags.extend(Operands.load(c, i, size), size)) {
      throw c.fault(Fault.BR); // without a look at the upper bound, as processors do
    }
    int bytes = size >> 3;
    long high = Operands.load(c, Operands.part(c, i, bytes, bytes, false), size);
    if (index > Flags.extend(high, size)) {
      throw c.fault(Fault.BR);
    }
  }

  @Meaning(value = "CMC", flow = Flow.NEXT)
  public static void cmc(Cpu c, Insn i) {
    Flags.setCarry(c, !Flags.below(c));
  }

  @Meaning(value = "CLC", flow = Flow.NEXT)
  public static void clc(Cpu c, Insn i) {
    Flags.setCarry(c, false);
  }

  @Meaning(value = "STC", flow = Flow.NEXT)
  public static void stc(Cpu c, Insn i) {
    Flags.setCarry(c, true);
  }

  @Meaning(value = "CLD", flow = Flow.NEXT)
  public static void cld(Cpu c, Insn i) {
    c.systemFlags &= ~Rflags.DF;
  }

  @Meaning(value = "STD", flow = Flow.NEXT)
  public static void std(Cpu c, Insn i) {
    c.systemFlags |= Rflags.DF;
  }

  @Meaning(value = "SAHF", flow = Flow.NEXT)
  public static void sahf(Cpu c, Insn i) {
    Rflags.set(
        c, c.gpr[Cpu.RAX] >>> 8 & 0xFF, Rflags.SF | Rflags.ZF | Rflags.AF | Rflags.PF | Rflags.CF);
  }

  @Meaning(value = "LAHF", flow = Flow.NEXT)
  public static void lahf(Cpu c, Insn i) {
    Operands.setRegister8(c, 16, Rflags.get(c) & 0xFF);
  }

  @Meaning(value = "SALC", flow = Flow.NEXT)
  public static void salc(Cpu c, Insn i) {
    Operands.setRegister8(c, Cpu.RAX, Flags.below(c) ? 0xFF : 0);
  }

  /** Hints: prefetches and ENDBR too. */
  @Meaning(value = "NOP", flow = Flow.NEXT)
  public static void nop(Cpu c, Insn i) {}

  @Meaning(value = "UD", flow = Flow.END)
  public static void ud(Cpu c, Insn i) {
    throw c.fault(Fault.UD);
  }
}
