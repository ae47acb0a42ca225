package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Moves to and from segment registers. */
public final class SegmentRegisters {
  private SegmentRegisters() {}

  /** Loads a segment register; after SS, events wait for one instruction (SDM vol. 3A, 6.8.3). */
  private static void load(Cpu c, int segment, int selector) {
    c.segmentation.load(segment, selector);
    if (segment == Cpu.SS) {
      c.shadow = Cpu.SHADOW_MOV_SS;
    }
  }

  /** The segment register that the opcode itself names. */
  private static int named(Insn i) {
    return i.row.operands().getFirst().fixed();
  }

  @Meaning(value = "PUSH_S", flow = Flow.NEXT)
  public static void push(Cpu c, Insn i) {
    int selector = c.selector[named(i)];
    int bytes = i.operandSize >> 3;
    long pointer = c.gpr[Cpu.RSP] - bytes;
    if (bytes == 4) {
      // Two bytes move, the pointer by four (SDM vol. 2B, PUSH): the upper half keeps what it is.
      c.mmu.store16(Stack.linear(c, pointer, 2, true), selector);
      Stack.setPointer(c, pointer);
    } else {
      Stack.push(c, selector, i.operandSize);
    }
  }

  @Meaning(value = "POP_S", flow = Flow.END)
  public static void pop(Cpu c, Insn i) {
    long pointer = c.gpr[Cpu.RSP];
    // As with PUSH, two bytes move whatever the operand size.
    load(c, named(i), (int) c.mmu.load16(Stack.linear(c, pointer, 2, false)));
    Stack.setPointer(c, pointer + (i.operandSize >> 3));
  }

  @Meaning(value = "MOV_E_S", flow = Flow.NEXT)
  public static void store(Cpu c, Insn i) {
    Operands.store(c, i, i.memory ? 16 : i.operandSize, c.selector[i.reg]);
  }

  @Meaning(value = "MOV_S_E", flow = Flow.END)
  public static void load(Cpu c, Insn i) {
    load(c, i.reg, (int) Operands.load(c, i, 16));
  }

  private static void loadPointer(Cpu c, Insn i, int segment) {
    long offset = Operands.load(c, i, i.operandSize);
    c.segmentation.load(segment, (int) FarControl.selector(c, i));
    Operands.setRegister(c, i.reg, i.operandSize, offset);
  }

  @Meaning(value = "LDS", flow = Flow.END)
  public static void lds(Cpu c, Insn i) {
    loadPointer(c, i, Cpu.DS);
  }

  @Meaning(value = "LES", flow = Flow.END)
  public static void les(Cpu c, Insn i) {
    loadPointer(c, i, Cpu.ES);
  }

  @Meaning(value = "LSS", flow = Flow.END)
  public static void lss(Cpu c, Insn i) {
    loadPointer(c, i, Cpu.SS);
  }

  @Meaning(value = "LFS", flow = Flow.END)
  public static void lfs(Cpu c, Insn i) {
    loadPointer(c, i, Cpu.FS);
  }

  @Meaning(value = "LGS", flow = Flow.END)
  public static void lgs(Cpu c, Insn i) {
    loadPointer(c, i, Cpu.GS);
  }
}
